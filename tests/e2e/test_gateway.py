"""The gateway itself, with a Function behind it: what tests of exposing functions may rely on."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import HTTP_ROUTES, INGRESSES
from support.certificates import issue
from support.gateway import CONTROLLER, Gateway
from support.objects import SECRETS
from support.waiting import wait_for

Object = dict[str, Any]


@pytest.fixture
def function(
    deploy: Callable[..., Object], condition: Callable[..., Object], namespace: str
) -> str:
    """A Function `hello` that serves, and the host that this test gives it."""
    deploy()
    condition("hello", "Ready", "True")
    return f"{namespace}.kubeless.test"


@pytest.fixture
def route(client: Client, namespace: str, gateway: Gateway, function: str) -> str:
    """An HTTPRoute from the host to the Function; the host."""
    route = {
        "apiVersion": HTTP_ROUTES.api_version,
        "kind": HTTP_ROUTES.kind,
        "metadata": {"name": "hello", "namespace": namespace},
        "spec": {
            "parentRefs": [gateway.parent],
            "hostnames": [function],
            "rules": [{"backendRefs": [{"name": "hello", "port": 8080}]}],
        },
    }
    client.create(HTTP_ROUTES, route)
    return function


def ingress(namespace: str, gateway: Gateway, host: str, **spec: Any) -> Object:
    """An Ingress from a host to the Function."""
    backend = {"service": {"name": "hello", "port": {"number": 8080}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": INGRESSES.api_version,
        "kind": INGRESSES.kind,
        "metadata": {"name": "hello", "namespace": namespace},
        "spec": {
            "ingressClassName": gateway.ingress_class,
            "rules": [{"host": host, "http": {"paths": paths}}],
            **spec,
        },
    }


def test_a_route_takes_the_calls_of_its_host_and_no_others(
    client: Client, namespace: str, gateway: Gateway, route: str
) -> None:
    wait_for(lambda: gateway.call(route) == (200, "hello"), "the route leads to the function")
    assert gateway.call(f"other-{route}")[0] == 404
    [parent] = client.get(HTTP_ROUTES, namespace, "hello")["status"]["parents"]
    assert parent["controllerName"] == CONTROLLER
    states = {entry["type"]: entry["status"] for entry in parent["conditions"]}
    assert states == {"Accepted": "True", "ResolvedRefs": "True"}


def test_an_ingress_takes_the_calls_of_its_host_and_is_told_its_address(
    client: Client, namespace: str, gateway: Gateway, function: str
) -> None:
    client.create(INGRESSES, ingress(namespace, gateway, function))
    wait_for(lambda: gateway.call(function) == (200, "hello"), "the Ingress leads to the function")
    assert gateway.call(f"other-{function}")[0] == 404
    status = wait_for(
        lambda: client.get(INGRESSES, namespace, "hello")["status"]["loadBalancer"],
        "the Ingress has an address",
    )
    assert status["ingress"] == [{"ip": gateway.address}]


def test_the_https_listener_has_a_certificate_of_the_gateways_authority(
    gateway: Gateway, route: str
) -> None:
    wait_for(lambda: gateway.call_secure(route) == (200, "hello"), "the route is served by HTTPS")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        gateway.call_secure(route, ca=Path("/etc/ssl/certs/ca-certificates.crt"))


def test_an_ingress_is_served_with_the_certificate_of_its_own_secret(
    client: Client, namespace: str, gateway: Gateway, function: str, tmp_path: Path
) -> None:
    files = issue(tmp_path, function)
    data = {
        name: base64.b64encode(files[name].encode()).decode() for name in ("tls.crt", "tls.key")
    }
    metadata = {"name": "tls", "namespace": namespace}
    client.create(SECRETS, {"metadata": metadata, "type": "kubernetes.io/tls", "data": data})
    tls = [{"hosts": [function], "secretName": "tls"}]
    client.create(INGRESSES, ingress(namespace, gateway, function, tls=tls))
    own = tmp_path / "ca.crt"
    wait_for(
        lambda: gateway.call_secure(function, ca=own) == (200, "hello"),
        "the Ingress is served by HTTPS",
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        gateway.call_secure(function)
    assert gateway.call(function) == (200, "hello")
