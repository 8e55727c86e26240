"""What is made of an HTTPTrigger, by gateway; the annotations are those of the controllers' documentation."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import HTTPTrigger, parse
from kubeless_controller.desired.claims import claim, holder
from kubeless_controller.desired.routes import Routes, build
from kubeless_controller.observed import programmed
from kubeless_controller.settings import HTTP, TLSIssuer

Object = dict[str, Any]
NGINX = "nginx.ingress.kubernetes.io"


def trigger(
    name: str = "t",
    created: str = "2026-01-01T00:00:00Z",
    namespace: str = "n",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> HTTPTrigger:
    metadata = {"name": name, "namespace": namespace, "uid": "u", "creationTimestamp": created}
    spec = {key.replace("_", "-"): value for key, value in spec.items()}
    return parse(
        {
            "metadata": {**metadata, "annotations": annotations or {}, "labels": {"team": "a"}},
            "spec": {"function-name": "hello", "host-name": "a.example.com", **spec},
        }
    )


def made(settings: HTTP = HTTP(), timeout: float = 180.0, **spec: Any) -> Routes:  # noqa: B008 - frozen
    return build(trigger(**spec), 8080, timeout, settings)


def ingress(**spec: Any) -> Object:
    found = made(**spec).ingress
    assert found is not None
    return found


def path_of(obj: Object) -> tuple[str, str]:
    (path,) = obj["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"] == {"service": {"name": "hello", "port": {"number": 8080}}}
    return path["path"], path["pathType"]


def test_nginx_replaces_the_prefix_and_keeps_the_rest() -> None:
    found = ingress(gateway="nginx", path="a")
    assert path_of(found) == ("/a(/|$)(.*)", "ImplementationSpecific")
    annotations = found["metadata"]["annotations"]
    assert annotations[f"{NGINX}/rewrite-target"] == "/$2"
    assert annotations[f"{NGINX}/use-regex"] == "true"
    assert annotations[f"{NGINX}/proxy-read-timeout"] == "185"
    assert found["spec"]["ingressClassName"] == "nginx"
    assert found["metadata"]["labels"] == {
        "team": "a",
        "created-by": "kubeless",
        "kubeless.io/trigger": "http",
    }


def test_a_path_is_no_pattern_also_where_the_controller_takes_it_for_one() -> None:
    assert path_of(ingress(gateway="nginx", path="/a.b+c(d)*$"))[0] == r"/a\.b\+c\(d\)\*\$(/|$)(.*)"


def test_nginx_without_a_prefix_rewrites_nothing() -> None:
    found = ingress(gateway="nginx")
    assert path_of(found) == ("/", "Prefix")
    assert f"{NGINX}/rewrite-target" not in found["metadata"]["annotations"]


def test_nginx_basic_auth_cors_and_tls() -> None:
    annotations = ingress(gateway="nginx", basic_auth_secret="users", cors_enable=True, tls=True)[
        "metadata"
    ]["annotations"]
    assert annotations[f"{NGINX}/auth-type"] == "basic"
    assert annotations[f"{NGINX}/auth-secret"] == "users"
    assert annotations[f"{NGINX}/enable-cors"] == "true"
    assert annotations["kubernetes.io/tls-acme"] == "true"


def test_traefik_gets_middlewares() -> None:
    found = made(
        gateway="traefik", path="/a", basic_auth_secret="users", cors_enable=True, tls_secret="cert"
    )
    specs = {one["metadata"]["name"]: one["spec"] for one in found.middlewares}
    assert specs["t-prefix"] == {"stripPrefix": {"prefixes": ["/a"]}}
    assert specs["t-auth"]["basicAuth"]["secret"] == "users"
    assert specs["t-cors"]["headers"]["accessControlAllowOriginList"] == ["*"]
    assert found.ingress is not None
    annotations = found.ingress["metadata"]["annotations"]
    prefix = "traefik.ingress.kubernetes.io"
    assert annotations[f"{prefix}/router.middlewares"] == (
        "n-t-prefix@kubernetescrd,n-t-auth@kubernetescrd,n-t-cors@kubernetescrd"
    )
    assert annotations[f"{prefix}/router.tls"] == "true"
    assert path_of(found.ingress) == ("/a", "Prefix")
    assert made(gateway="traefik").middlewares == ()


def test_kong_strips_and_contour_waits_and_says_what_it_cannot() -> None:
    assert (
        ingress(gateway="kong", path="a")["metadata"]["annotations"]["konghq.com/strip-path"]
        == "true"
    )
    found = made(ingressClassName="contour", path="a", timeout=10)
    assert found.ingress is not None
    assert found.ingress["metadata"]["annotations"]["projectcontour.io/response-timeout"] == "15s"
    assert "cannot replace the prefix '/a'" in found.note
    assert made(ingressClassName="contour").note == ""
    assert "the default class cannot replace" in made(path="a").note


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        (
            {"ingressClassName": "contour", "basic_auth_secret": "s"},
            "UnsupportedByGateway",
            ["basic-auth-secret", "contour", "gateway nginx or traefik"],
        ),
        (
            {"ingressClassName": "contour", "cors_enable": True},
            "UnsupportedByGateway",
            ["cors-enable", "FUNC_CORS"],
        ),
        ({"basic_auth_secret": "s"}, "UnsupportedByGateway", ["the cluster's default"]),
        (
            {"gateway": "haproxy"},
            "UnsupportedByGateway",
            ["'haproxy'", "nginx, traefik, kong, contour", "ingressClassName"],
        ),
        (
            {"parentRefs": [{"name": "g"}], "tls": True},
            "TLSBelongsToGateway",
            ["spec.tls", "listeners", "sectionName"],
        ),
        (
            {"parentRefs": [{"name": "g"}], "tls_secret": "s"},
            "TLSBelongsToGateway",
            ["spec.tls-secret"],
        ),
        (
            {"parentRefs": [{"name": "g"}], "cors_enable": True},
            "UnsupportedByGateway",
            ["FUNC_CORS"],
        ),
        (
            {"parentRefs": [{"name": "g"}], "basic_auth_secret": "s"},
            "UnsupportedByGateway",
            ["policy"],
        ),
        (
            {"host_name": "", "tls": True, "gateway": "nginx"},
            "InvalidHost",
            ["a certificate is for a name"],
        ),
    ],
)
def test_what_a_gateway_cannot_do_is_said(spec: Object, reason: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        made(**spec)
    assert caught.value.reason == reason
    for word in words:
        assert word in caught.value.message


def test_a_route_attaches_and_replaces_the_prefix() -> None:
    found = made(
        parentRefs=[{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        path="a",
        timeout=2.5,
    )
    route = found.http_route
    assert found.ingress is None
    assert route is not None
    assert route["spec"]["hostnames"] == ["a.example.com"]
    assert route["spec"]["parentRefs"][0]["sectionName"] == "https"
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/a"}}]
    assert rule["filters"][0]["urlRewrite"]["path"] == {
        "type": "ReplacePrefixMatch",
        "replacePrefixMatch": "/",
    }
    assert rule["timeouts"] == {"request": "8s"}
    assert found.url == "https://a.example.com/a"
    assert (
        "filters"
        not in (made(parentRefs=[{"name": "public"}]).http_route or {})["spec"]["rules"][0]
    )


def test_the_installation_decides_where_the_trigger_does_not() -> None:
    gateway = HTTP(parent_refs=({"name": "public", "namespace": "g"},), ingress_class="x")
    assert made(gateway).http_route is not None
    assert made(gateway, ingressClassName="y").http_route is None
    classes = HTTP(ingress_class="internal", gateway="nginx", tls_issuer=TLSIssuer("ca", "Issuer"))
    found = made(classes, path="a", tls=True).ingress
    assert found is not None
    assert found["spec"]["ingressClassName"] == "internal"
    assert found["spec"]["tls"] == [{"hosts": ["a.example.com"], "secretName": "t-tls"}]
    assert found["metadata"]["annotations"]["cert-manager.io/issuer"] == "ca"
    assert found["metadata"]["annotations"][f"{NGINX}/rewrite-target"] == "/$2"
    own = made(classes, gateway="nginx", ingressClassName="mine").ingress
    assert own is not None
    assert own["spec"]["ingressClassName"] == "mine"
    assert "ingressClassName" not in ingress()["spec"]


def test_own_annotations_go_on_and_win() -> None:
    own = {
        f"{NGINX}/proxy-read-timeout": "3",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "kubeless.io/x": "y",
    }
    annotations = ingress(gateway="nginx", annotations=own)["metadata"]["annotations"]
    assert annotations[f"{NGINX}/proxy-read-timeout"] == "3"
    assert not {"kubectl.kubernetes.io/last-applied-configuration", "kubeless.io/x"} & set(
        annotations
    )


def test_of_two_on_one_host_and_path_the_older_has_it() -> None:
    def of(name: str, created: int, **spec: Any) -> Any:
        return claim(trigger(name, f"2026-01-0{created}T00:00:00Z", **spec), HTTP())

    older, younger = of("b", 1), of("a", 2)
    assert holder(younger, [older]) == older
    assert holder(older, [younger]) is None
    assert holder(of("b", 1), [of("a", 1)]) == of("a", 1), "made in one second: by name"
    assert holder(younger, [of("b", 1, path="x")]) is None
    assert holder(younger, [of("b", 1, host_name="b.example.com")]) is None
    assert holder(younger, [of("b", 1, namespace="other")]) is not None
    assert holder(younger, [of("b", 1, ingressClassName="internal")]) is None
    plain, https, http = (
        {"name": "g", **more} for more in ({}, {"sectionName": "https"}, {"sectionName": "http"})
    )
    wide = of("b", 1, parentRefs=[plain])
    assert holder(of("a", 2, parentRefs=[https]), [wide]) == wide
    assert holder(of("a", 2, parentRefs=[https]), [of("b", 1, parentRefs=[http])]) is None
    assert holder(of("a", 2, parentRefs=[plain], namespace="other"), [wide]) is None, (
        "another Gateway"
    )


def test_an_ingress_is_programmed_once_it_has_an_address() -> None:
    assert programmed.ingress(None).reason == "Pending"
    waiting = programmed.ingress(
        {"spec": {"ingressClassName": "nginx"}, "status": {"loadBalancer": {}}}
    )
    assert (waiting.ok, waiting.reason) == (False, "Pending")
    assert "class 'nginx'" in waiting.message
    served = {
        "spec": {},
        "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "lb"}]}},
    }
    assert programmed.ingress(served).message == "served at 10.0.0.1, lb"


def route_with(*conditions: Object, name: str = "g", generation: int = 2) -> Object:
    parent = {"parentRef": {"name": name, "namespace": "n"}, "conditions": list(conditions)}
    return {
        "metadata": {"namespace": "n", "generation": generation},
        "spec": {"parentRefs": [{"name": "g"}]},
        "status": {"parents": [parent]},
    }


def said(kind: str, status: str, generation: int = 2) -> Object:
    return {
        "type": kind,
        "status": status,
        "reason": "R",
        "message": "m",
        "observedGeneration": generation,
    }


def test_a_route_is_programmed_once_every_gateway_took_this_generation() -> None:
    accepted, resolved = said("Accepted", "True"), said("ResolvedRefs", "True")
    assert programmed.http_route(route_with(accepted, resolved)).ok
    for waiting in (
        route_with(accepted),
        route_with(said("Accepted", "True", 1), resolved),
        route_with(accepted, resolved, name="another"),
        {**route_with(), "status": {}},
    ):
        verdict = programmed.http_route(waiting)
        assert (verdict.ok, verdict.reason) == (False, "Pending")
        assert "n/g" in verdict.message
    refused = programmed.http_route(route_with(said("Accepted", "False"), resolved))
    assert (refused.reason, refused.message) == ("RefusedByGateway", "Gateway n/g: R: m")
