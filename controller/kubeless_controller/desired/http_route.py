"""The HTTPRoute of an HTTPTrigger, for gateways that speak Gateway API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubeless_api.conditions import UNSUPPORTED_BY_GATEWAY
from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import HTTPTrigger, refuse_tls
from kubeless_controller.desired.gateways import seconds
from kubeless_controller.desired.ingress import LABELS, own_annotations
from kubeless_controller.desired.owned import metadata, stamped

Object = dict[str, Any]


def build(
    trigger: HTTPTrigger, port: int, timeout: float, parents: Sequence[Mapping[str, Any]]
) -> Object:
    """Build the route from the ``parents`` to the port of the function's Service. Raises SpecError."""
    refuse_tls(trigger)
    _refuse(trigger)
    rule: Object = {
        "matches": [{"path": {"type": "PathPrefix", "value": trigger.path}}],
        "backendRefs": [
            {"group": "", "kind": "Service", "name": trigger.function, "port": port, "weight": 1}
        ],
        "timeouts": {"request": f"{seconds(timeout)}s"},
    }
    if trigger.path != "/":
        replace = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
        rule["filters"] = [{"type": "URLRewrite", "urlRewrite": {"path": replace}}]
    spec: Object = {"parentRefs": [dict(parent) for parent in parents], "rules": [rule]}
    if trigger.host:
        spec["hostnames"] = [trigger.host]
    return stamped(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": metadata(
                trigger,
                trigger.name,
                {**trigger.labels, **LABELS},
                annotations=own_annotations(trigger),
            ),
            "spec": spec,
        }
    )


def _refuse(trigger: HTTPTrigger) -> None:
    """Refuse what a route cannot say."""
    if trigger.basic_auth_secret:
        raise SpecError(
            UNSUPPORTED_BY_GATEWAY,
            "spec.basic-auth-secret: an HTTPRoute cannot ask for passwords; take it out and attach your gateway's own "
            f"policy to the HTTPRoute {trigger.name!r} (Envoy Gateway: SecurityPolicy), or use an Ingress with gateway "
            "nginx or traefik",
        )
    if trigger.cors:
        raise SpecError(
            UNSUPPORTED_BY_GATEWAY,
            "spec.cors-enable: an HTTPRoute of the standard channel cannot say it; take it out and let the function answer: "
            "set FUNC_CORS to 'true' in the Function's spec.env",
        )
