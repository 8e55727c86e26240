"""HTTPTriggers against a real API server: what is made, for whom, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_controller.reconcile.http_trigger import HTTP_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Invalid
from kubeless_kube.resources import HTTP_ROUTES, INGRESSES
from support.control_plane import CRDS
from support.controller import Controller
from support.gateway_api import definitions
from support.objects import find
from support.waiting import wait_for
from support.world import owner

Object = dict[str, Any]
Deploy = Callable[..., Object]
GATEWAY = [{"name": "public", "namespace": "gateways"}]


def domain(namespace: str) -> str:
    """The names of one namespace."""
    return f"{namespace}.example.com"


def manifest(namespace: str, name: str = "door", **spec: Any) -> Object:
    if spec.get("host_name", "").endswith(".example.com"):
        # What the namespace of an earlier test still has shall not be in the way.
        spec["host_name"] = spec["host_name"].replace("example.com", domain(namespace))
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "HTTPTrigger",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "function-name": "hello",
            **{key.replace("_", "-"): value for key, value in spec.items()},
        },
    }


@pytest.fixture
def open_door(client: Client, namespace: str) -> Callable[..., Object]:
    """Make or change an HTTPTrigger of the test's namespace."""

    def apply(name: str = "door", **spec: Any) -> Object:
        return client.apply(HTTP_TRIGGERS, manifest(namespace, name, **spec), manager="user")

    return apply


@pytest.fixture
def told(client: Client, namespace: str) -> Callable[..., str]:
    """Wait until a condition of a trigger has this reason; returns its message."""

    def wait(kind: str, reason: str, name: str = "door") -> str:
        def look() -> str | None:
            trigger = client.get(HTTP_TRIGGERS, namespace, name)
            for entry in (trigger.get("status") or {}).get("conditions", []):
                if (entry["type"], entry["reason"], entry["observedGeneration"]) == (
                    kind,
                    reason,
                    trigger["metadata"]["generation"],
                ):
                    return str(entry["message"]) or "-"
            return None

        return str(wait_for(look, f"{kind} {reason} of {name}", 60))

    return wait


@pytest.fixture(scope="module")
def gateway_api(client: Client) -> Iterator[None]:
    """The cluster serves HTTPRoutes, for the tests of this module that ask for it."""
    file = definitions() / "gateway.networking.k8s.io_httproutes.yaml"
    crd = yaml.safe_load(file.read_text())
    client.apply(CRDS, crd, manager="test")

    def served() -> bool:
        try:
            client.list(HTTP_ROUTES)
        except ApiError:  # not found, or for a moment 429: its storage is being set up
            return False
        return True

    wait_for(served, "HTTPRoutes are served")
    yield
    client.delete(CRDS, None, crd["metadata"]["name"])
    wait_for(lambda: not served(), "HTTPRoutes are served no more", 30)


@pytest.mark.usefixtures("controlled")
def test_without_the_gateway_api_it_says_so(deploy: Deploy, open_door: Deploy, told: Any) -> None:
    deploy()
    open_door(parentRefs=GATEWAY, host_name="a.example.com")
    message = told("Accepted", "GatewayAPIMissing")
    assert "gateway.networking.k8s.io/v1 HTTPRoute" in message
    assert "name an ingressClassName instead of parentRefs" in message


def test_an_ingress_comes_and_goes_with_the_function(
    client: Client,
    namespace: str,
    deploy: Deploy,
    open_door: Deploy,
    told: Any,
    controller: Controller,
) -> None:
    made = open_door(gateway="nginx", host_name="A.example.com", path="hello")
    assert "'hello'" in told("Accepted", "FunctionNotFound")
    assert find(client, INGRESSES, namespace, "door") is None
    deploy(service={"ports": [{"port": 1234}]})
    told("Accepted", "Valid")
    ingress = client.get(INGRESSES, namespace, "door")
    assert owner(ingress) == made["metadata"]["uid"]
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "hello", "port": {"number": 1234}}
    assert ingress["spec"]["rules"][0]["host"] == f"a.{domain(namespace)}"
    trigger = client.get(HTTP_TRIGGERS, namespace, "door")
    assert trigger["status"]["url"] == f"http://a.{domain(namespace)}/hello"
    assert "class 'nginx' has taken" in told("Ready", "Pending")

    status = {"status": {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}}}
    client.patch(INGRESSES, namespace, "door", status, subresource="status", manager="nginx")
    assert told("Programmed", "Routed") == "served at 10.1.2.3"
    assert told("Ready", "Routed")

    # Its port changes, and somebody edits the Ingress: both are followed.
    deploy(service={"ports": [{"port": 4321}]})
    edit = [{"op": "replace", "path": "/spec/rules/0/host", "value": "b.example.com"}]
    client.patch(INGRESSES, namespace, "door", edit, kind="json", manager="somebody")

    def repaired() -> bool:
        (rule,) = client.get(INGRESSES, namespace, "door")["spec"]["rules"]
        number = rule["http"]["paths"][0]["backend"]["service"]["port"]["number"]
        return (rule["host"], number) == (f"a.{domain(namespace)}", 4321)

    wait_for(repaired, "the Ingress is as wanted")
    wait_for(controller.settled, "nothing is left to do")
    before = controller.writes()
    controller.process.stop()  # type: ignore[union-attr]
    controller.start()
    wait_for(controller.settled, "all was looked at")
    assert controller.metric('controller_runtime_reconcile_total{controller="HTTPTrigger"') >= 1
    assert controller.writes() == 0 < before, "nothing is written that stands already"

    client.delete(FUNCTIONS, namespace, "hello")
    assert told("Accepted", "FunctionNotFound")
    wait_for(lambda: find(client, INGRESSES, namespace, "door") is None, "nothing dangles")
    assert client.get(HTTP_TRIGGERS, namespace, "door")["status"].get("url") is None


@pytest.mark.usefixtures("controlled")
def test_of_two_on_one_host_and_path_the_older_keeps_it(
    client: Client, namespace: str, deploy: Deploy, open_door: Deploy, told: Any
) -> None:
    deploy()
    open_door("old", host_name="a.example.com", ingressClassName="x", path="/a")
    told("Accepted", "Valid", "old")
    # Creation times have seconds.
    first = client.get(HTTP_TRIGGERS, namespace, "old")["metadata"]["creationTimestamp"]

    def younger() -> bool:
        made = client.create(
            HTTP_TRIGGERS,
            manifest(
                namespace, "young", host_name="a.example.com", path="a/", ingressClassName="x"
            ),
        )
        if made["metadata"]["creationTimestamp"] > first:
            return True
        client.delete(HTTP_TRIGGERS, namespace, "young")
        return False

    wait_for(younger, "a second has passed")
    message = told("Accepted", "RouteTaken", "young")
    assert "'old'" in message
    assert f"'a.{domain(namespace)}'" in message
    assert "'/a'" in message
    assert find(client, INGRESSES, namespace, "young") is None
    # It moves away: the other has it at once.
    open_door("old", host_name="b.example.com", ingressClassName="x", path="/a")
    told("Accepted", "Valid", "young")
    assert find(client, INGRESSES, namespace, "young")
    # Beside each other on one host with other paths, and on other classes.
    open_door("beside", host_name="a.example.com", ingressClassName="x", path="/a/b")
    told("Accepted", "Valid", "beside")
    open_door("inside", host_name="a.example.com", ingressClassName="internal", path="/a")
    told("Accepted", "Valid", "inside")


@pytest.mark.usefixtures("controlled", "gateway_api")
def test_a_route_replaces_the_ingress_and_follows_its_gateway(
    client: Client, namespace: str, deploy: Deploy, open_door: Deploy, told: Any
) -> None:
    deploy(timeout=10)
    open_door(gateway="nginx", host_name="a.example.com", path="a")
    told("Accepted", "Valid")
    open_door(parentRefs=GATEWAY, host_name="a.example.com", path="a")
    told("Ready", "Pending")
    route = wait_for(lambda: find(client, HTTP_ROUTES, namespace, "door"), "the route is made")
    wait_for(lambda: find(client, INGRESSES, namespace, "door") is None, "the Ingress is gone")
    assert route["spec"]["rules"][0]["timeouts"]["request"] == "15s"

    def gateway_says(accepted: str) -> None:
        live = client.get(HTTP_ROUTES, namespace, "door")["metadata"]["generation"]
        rest = {
            "observedGeneration": live,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "reason": "NoMatchingListenerHostname",
            "message": "no listener has this name",
        }
        conditions = [
            {"type": "Accepted", "status": accepted, **rest},
            {"type": "ResolvedRefs", "status": "True", **rest},
        ]
        parent = {
            "controllerName": "example.com/gateway",
            "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", **GATEWAY[0]},
            "conditions": conditions,
        }
        status = {"status": {"parents": [parent]}}
        client.patch(HTTP_ROUTES, namespace, "door", status, subresource="status", manager="gw")

    gateway_says("False")
    assert "NoMatchingListenerHostname: no listener has this name" in told(
        "Ready", "RefusedByGateway"
    )
    gateway_says("True")
    assert told("Ready", "Routed")
    # Refused: what is routed stays, and is still said to be.
    open_door(parentRefs=GATEWAY, host_name="a.example.com", path="a", tls_secret="cert")
    assert "sectionName" in told("Accepted", "TLSBelongsToGateway")
    assert told("Programmed", "Routed")
    assert find(client, HTTP_ROUTES, namespace, "door")
    open_door(ingressClassName="x", host_name="a.example.com", path="a")
    told("Ready", "Pending")
    wait_for(lambda: find(client, HTTP_ROUTES, namespace, "door") is None, "the route is gone")
    assert "the function sees it in its path" in told("Accepted", "Valid")


@pytest.mark.usefixtures("controlled", "gateway_api")
@pytest.mark.parametrize(
    ("path", "prefix"),
    [("", "/"), ("/", "/"), ("a", "/a"), ("/a", "/a"), ("/a/", "/a"), ("/a.(b)*$", "/a.(b)*$")],
)
def test_every_way_of_writing_a_path(
    client: Client,
    namespace: str,
    deploy: Deploy,
    open_door: Deploy,
    told: Any,
    path: str,
    prefix: str,
) -> None:
    deploy()
    open_door(parentRefs=GATEWAY, host_name="*.example.com", path=path)
    told("Accepted", "Valid")
    route = client.get(HTTP_ROUTES, namespace, "door")
    assert route["spec"]["rules"][0]["matches"][0]["path"]["value"] == prefix
    assert route["spec"]["hostnames"] == [f"*.{domain(namespace)}"]


@pytest.mark.usefixtures("controlled")
def test_what_the_original_left_is_taken_over(
    client: Client, namespace: str, deploy: Deploy, told: Any
) -> None:
    deploy()
    trigger = manifest(
        namespace,
        gateway="nginx",
        host_name="a.example.com",
        path="a",
        tls=False,
        tls_secret="",
        basic_auth_secret="",
        cors_enable=False,
    )
    trigger["metadata"]["finalizers"] = ["kubeless.io/httptrigger"]
    made = client.create(HTTP_TRIGGERS, trigger, manager="kubeless")
    reference = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "HTTPTrigger",
        "name": "door",
        "uid": made["metadata"]["uid"],
    }
    backend = {"service": {"name": "hello", "port": {"number": 8080}}}
    paths = [{"path": "/a", "pathType": "ImplementationSpecific", "backend": backend}]
    annotations = {
        "kubernetes.io/ingress.class": "nginx",
        "nginx.ingress.kubernetes.io/rewrite-target": "/",
    }
    client.create(
        INGRESSES,
        {
            "metadata": {
                "name": "door",
                "namespace": namespace,
                "ownerReferences": [reference],
                "annotations": annotations,
            },
            "spec": {"rules": [{"host": f"a.{domain(namespace)}", "http": {"paths": paths}}]},
        },
        manager="kubeless-controller-manager",
    )

    def taken_over() -> bool:
        live = client.get(INGRESSES, namespace, "door")
        found = live["metadata"].get("annotations") or {}
        return (
            owner(live) == made["metadata"]["uid"]
            and found.get("nginx.ingress.kubernetes.io/rewrite-target") == "/$2"
            and "kubernetes.io/ingress.class" not in found
        )

    wait_for(taken_over, "the Ingress is ours")
    told("Accepted", "Valid")
    assert not client.get(HTTP_TRIGGERS, namespace, "door")["metadata"].get("finalizers")
    client.delete(HTTP_TRIGGERS, namespace, "door")
    wait_for(lambda: find(client, INGRESSES, namespace, "door") is None, "it goes along", 30)


@pytest.mark.usefixtures("controlled")
def test_an_ingress_of_somebody_elses_is_left_alone(
    client: Client, namespace: str, deploy: Deploy, open_door: Deploy, told: Any
) -> None:
    deploy()
    backend = {"service": {"name": "other", "port": {"number": 80}}}
    spec = {"defaultBackend": backend}
    client.create(INGRESSES, {"metadata": {"name": "door", "namespace": namespace}, "spec": spec})
    open_door(ingressClassName="x", host_name="a.example.com")
    assert "does not belong to this HTTPTrigger" in told("Accepted", "Conflict")
    assert client.get(INGRESSES, namespace, "door")["spec"] == spec


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"function_name": ""}, ["spec.function-name: found nothing"]),
        ({"function_name": "Hello"}, ["spec.function-name: found 'Hello'"]),
        ({"host_name": "http://a.b"}, ["spec.host-name: found 'http://a.b'", "without scheme"]),
        ({"host_name": "10.0.0.1"}, ["spec.host-name", "no address"]),
        ({"path": "/a//b"}, ["spec.path: found '/a//b'", "no '//'"]),
        ({"path": "/a/../b"}, ["spec.path"]),
        ({"path": "/a b"}, ["spec.path"]),
        ({"path": "/%2f"}, ["spec.path"]),
        ({"path": "//"}, ["spec.path"]),
        ({"parentRefs": GATEWAY, "gateway": "nginx"}, ["spec.parentRefs", "take one out"]),
        ({"parentRefs": GATEWAY, "ingressClassName": "x"}, ["spec.parentRefs"]),
        ({"parentRefs": [{}]}, ["spec.parentRefs[0].name"]),
        ({"tls": "yes"}, ["spec.tls", "boolean"]),
    ],
)
def test_what_the_api_server_refuses(
    client: Client, namespace: str, spec: Object, words: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        client.create(HTTP_TRIGGERS, manifest(namespace, **spec))
    for word in words:
        assert word in caught.value.message


def test_zero_values_of_the_original_are_taken(client: Client, namespace: str) -> None:
    zero = {
        "basic_auth_secret": "",
        "cors_enable": False,
        "gateway": "",
        "host_name": "",
        "path": "",
        "tls": False,
        "tls_secret": "",
    }
    client.create(HTTP_TRIGGERS, manifest(namespace, **zero, parentRefs=None))
    client.create(HTTP_TRIGGERS, manifest(namespace, "all", parentRefs=[], ingressClassName=None))
