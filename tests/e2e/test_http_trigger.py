"""HTTPTriggers through a real gateway, by Gateway API and by Ingress."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_controller.reconcile.http_trigger import HTTP_TRIGGERS
from kubeless_kube.client import Client
from support.certificates import issue
from support.gateway import Gateway
from support.load import Load
from support.objects import SECRETS
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
SOURCE = """
import hashlib
import time

VERSION = 1


def parts():
    yield "first "
    time.sleep(2)
    yield "last"


def handler(event, context):
    request = event["extensions"]["request"]
    if request.path.endswith("/stream"):
        return parts()
    if request.path.endswith("/version"):
        return f"version {VERSION}"
    if request.method == "POST":
        body = request.get_data()
        return {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    return request.full_path.rstrip("?")
"""


class Door:
    """One trigger of the function: how it is written, by whom it is called."""

    def __init__(self, client: Client, namespace: str, gateway: Gateway, kind: str) -> None:
        self.host = f"{namespace}.example.test"
        self._client, self._namespace = client, namespace
        self.target: Object = (
            {"parentRefs": [gateway.parent]}
            if kind == "route"
            else {"ingressClassName": gateway.ingress_class}
        )

    def write(self, **spec: Any) -> None:
        """Make or change the trigger."""
        body = {
            "apiVersion": "kubeless.io/v1beta1",
            "kind": "HTTPTrigger",
            "metadata": {"name": "door", "namespace": self._namespace},
            "spec": {"function-name": "hello", "host-name": self.host, **self.target, **spec},
        }
        self._client.apply(HTTP_TRIGGERS, body, manager="user")

    def told(self, reason: str, kind: str = "Ready") -> str:
        """Wait until a condition has this reason; returns its message."""

        def look() -> str:
            trigger = self._client.get(HTTP_TRIGGERS, self._namespace, "door")
            for entry in (trigger.get("status") or {}).get("conditions", []):
                if (entry["type"], entry["reason"]) == (kind, reason):
                    return str(entry["message"])
            return ""

        return wait_for(look, f"{kind} {reason}", 30)

    def url(self) -> str:
        """What the status says."""
        found: str = self._client.get(HTTP_TRIGGERS, self._namespace, "door")["status"]["url"]
        return found


@pytest.fixture(params=["route", "ingress"])
def door(client: Client, namespace: str, gateway: Gateway, request: pytest.FixtureRequest) -> Door:
    return Door(client, namespace, gateway, request.param)


@pytest.fixture
def route(client: Client, namespace: str, gateway: Gateway) -> Door:
    return Door(client, namespace, gateway, "route")


@pytest.fixture
def ingress(client: Client, namespace: str, gateway: Gateway) -> Door:
    return Door(client, namespace, gateway, "ingress")


def answers(gateway: Gateway, host: str, path: str, text: str) -> None:
    wait_for(lambda: gateway.call(host, path) == (200, text), f"{path} answers {text!r}", 30)


def test_calls_by_host_reach_the_function_and_no_others_do(
    client: Client, namespace: str, gateway: Gateway, deploy: Deploy, condition: Deploy, door: Door
) -> None:
    door.write()
    assert "there is no Function 'hello'" in door.told("FunctionNotFound")
    assert gateway.call(door.host)[0] in (0, 404)
    deploy(function=SOURCE)
    condition("hello", "Ready", "True")
    door.told("Routed")
    assert door.url() == f"http://{door.host}/"
    answers(gateway, door.host, "/x/y?z=1", "/x/y?z=1")
    assert gateway.call(f"other.{door.host}")[0] == 404

    connection = http.client.HTTPConnection(gateway.address, 80, timeout=20)
    connection.request("GET", "/stream", headers={"Host": door.host})
    answer = connection.getresponse()
    began = time.monotonic()
    first = answer.read1(100)
    between = time.monotonic() - began
    rest = answer.read()
    connection.close()
    assert (first, rest) == (b"first ", b"last")
    assert time.monotonic() - began - between > 1, "the first part came before the last was made"

    body = os.urandom(10 * 1024 * 1024)
    headers = {"Content-Type": "application/octet-stream"}
    status, text = gateway.call(door.host, "/", method="POST", body=body, headers=headers)
    assert status == 200
    assert json.loads(text) == {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    client.delete(FUNCTIONS, namespace, "hello")
    door.told("FunctionNotFound")
    wait_for(lambda: gateway.call(door.host)[0] in (0, 404), "nothing dangles", 30)


def test_no_request_fails_while_the_function_rolls(
    gateway: Gateway, deploy: Deploy, condition: Deploy, door: Door
) -> None:
    deploy(function=SOURCE, replicas=2)
    condition("hello", "Ready", "True")
    door.write()
    door.told("Routed")
    answers(gateway, door.host, "/version", "version 1")
    load = Load(gateway.address, 80, threads=4, path="/version", headers={"Host": door.host})
    with load:
        wait_for(lambda: load.count("version 1") > 100, "the load runs")
        deploy(function=SOURCE.replace("VERSION = 1", "VERSION = 2"), replicas=2)
        condition("hello", "Ready", "True")
        wait_for(lambda: load.count("version 2") > 100, "the new one is called")
        time.sleep(5)  # the old pods have gone by then
    assert not load.failures, load.failures[:5]
    assert set(load.answers) == {"version 1", "version 2"}


def test_a_route_replaces_its_prefix_and_is_served_by_https(
    gateway: Gateway, deploy: Deploy, condition: Deploy, route: Door
) -> None:
    deploy(function=SOURCE)
    condition("hello", "Ready", "True")
    route.write(path="a/b")
    route.told("Routed")
    answers(gateway, route.host, "/a/b/c?d=e", "/c?d=e")
    assert gateway.call(route.host, "/a/b") == (200, "/")
    assert gateway.call(route.host, "/a/bc")[0] == 404
    assert gateway.call(route.host, "/")[0] == 404
    # A path is text: what would be a pattern is none.
    route.write(path="/a.(b)*")
    answers(gateway, route.host, "/a.(b)*/c", "/c")
    assert gateway.call(route.host, "/axb")[0] == 404
    # All names below one.
    route.write(**{"host-name": f"*.{route.host}"})
    answers(gateway, f"any.{route.host}", "/x", "/x")
    assert gateway.call(route.host, "/x")[0] == 404
    # Only at the listener with the certificate.
    route.target = {"parentRefs": [{**gateway.parent, "sectionName": "https"}]}
    route.write()
    wait_for(lambda: gateway.call_secure(route.host, "/x") == (200, "/x"), "HTTPS answers", 30)
    wait_for(lambda: gateway.call(route.host, "/x")[0] in (0, 404), "HTTP does not", 30)
    assert route.url() == f"https://{route.host}/"
    route.write(tls=True)
    assert "sectionName" in route.told("TLSBelongsToGateway", "Accepted")
    assert gateway.call_secure(route.host, "/x") == (200, "/x"), "what was routed stays"


def test_an_unknown_gateway_and_a_listener_that_is_not_there_are_said(
    gateway: Gateway, deploy: Deploy, condition: Deploy, route: Door
) -> None:
    deploy(function=SOURCE)
    condition("hello", "Ready", "True")
    route.target = {"parentRefs": [{"name": "nobody", "namespace": gateway.namespace}]}
    route.write()
    assert f"{gateway.namespace}/nobody" in route.told("Pending")
    route.target = {"parentRefs": [{**gateway.parent, "sectionName": "nothing"}]}
    route.write()
    assert f"{gateway.namespace}/{gateway.name}:nothing" in route.told("RefusedByGateway")


def test_an_ingress_keeps_its_prefix_and_has_its_own_certificate(
    client: Client,
    namespace: str,
    gateway: Gateway,
    deploy: Deploy,
    condition: Deploy,
    ingress: Door,
    tmp_path: Path,
) -> None:
    deploy(function=SOURCE)
    condition("hello", "Ready", "True")
    files = issue(tmp_path, ingress.host)
    data = {
        name: base64.b64encode(files[name].encode()).decode() for name in ("tls.crt", "tls.key")
    }
    secret = {
        "metadata": {"name": "cert", "namespace": namespace},
        "type": "kubernetes.io/tls",
        "data": data,
    }
    client.create(SECRETS, secret)
    ingress.write(path="a", **{"tls-secret": "cert"})
    ingress.told("Routed")
    assert "cannot replace the prefix '/a'" in ingress.told("Valid", "Accepted")
    assert ingress.url() == f"https://{ingress.host}/a"
    own = tmp_path / "ca.crt"
    wait_for(
        lambda: gateway.call_secure(ingress.host, "/a/b", ca=own) == (200, "/a/b"),
        "HTTPS answers with the certificate of the Secret",
        30,
    )
    ingress.write(path="a", **{"tls-secret": "cert", "basic-auth-secret": "users"})
    assert "nginx or traefik" in ingress.told("UnsupportedByGateway", "Accepted")
    # Its Secret goes: the gateway's to tell, and nobody else's calls are touched.
    client.delete(SECRETS, namespace, "cert")
    ingress.write(path="a", **{"tls-secret": "cert"})
    ingress.told("Routed")
    wait_for(lambda: not trusted(gateway, ingress.host, own), "that certificate is gone", 30)


def trusted(gateway: Gateway, host: str, authority: Path) -> bool:
    """Say whether the host is served with a certificate of this authority."""
    try:
        return gateway.call_secure(host, "/a/b", ca=authority)[0] == 200
    except OSError:
        return False
