"""All that an HTTPTrigger needs, built in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api.conditions import UNSUPPORTED_BY_GATEWAY
from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import HTTPTrigger
from kubeless_controller.desired import gateways, http_route, ingress
from kubeless_controller.desired.owned import metadata, stamped
from kubeless_controller.settings import HTTP

Object = dict[str, Any]


# ("ingress", class), or ("gateway", namespace, name, section, port) with '' for all sections and ports.
Place = tuple[str, ...]


@dataclass(frozen=True)
class Routes:
    """The objects that an HTTPTrigger owns: an Ingress with its Middlewares, or an HTTPRoute.

    ``url`` is where callers outside reach the function; ``note`` what the gateway cannot do.
    """

    ingress: Object | None
    http_route: Object | None
    middlewares: tuple[Object, ...]
    url: str
    note: str


def build(trigger: HTTPTrigger, port: int, timeout: float, settings: HTTP) -> Routes:
    """Build everything for a trigger on a function's Service port. Raises SpecError."""
    parents = parents_of(trigger, settings)
    if parents:
        route = http_route.build(trigger, port, timeout, parents)
        return Routes(None, route, (), _url(trigger, _is_https(parents)), "")
    gateway = ingress.gateway_of(trigger, settings)
    if trigger.gateway and not gateways.known(gateway):
        raise SpecError(
            UNSUPPORTED_BY_GATEWAY,
            f"spec.gateway: found {gateway!r}, expected one of {', '.join(gateways.names())}; for any other, name its class "
            "in spec.ingressClassName or its Gateway in spec.parentRefs",
        )
    rendered = gateways.render(gateway, trigger, timeout)
    made = ingress.build(trigger, port, rendered, settings)
    middlewares = tuple(_middleware(trigger, one) for one in rendered.middlewares)
    https = bool(trigger.tls or trigger.tls_secret)
    return Routes(made, None, middlewares, _url(trigger, https), rendered.note)


def parents_of(trigger: HTTPTrigger, settings: HTTP) -> tuple[Mapping[str, Any], ...]:
    """The Gateways that the trigger attaches to; none when it is for an Ingress."""
    if trigger.parent_refs or trigger.gateway or trigger.ingress_class:
        return trigger.parent_refs
    return settings.parent_refs


def places(trigger: HTTPTrigger, settings: HTTP) -> frozenset[Place]:
    """Where the trigger holds its host and path, for telling which triggers stand in each other's way."""
    parents = parents_of(trigger, settings)
    if not parents:
        return frozenset({("ingress", ingress.class_of(trigger, settings))})
    return frozenset(
        (
            "gateway",
            str(parent.get("namespace") or trigger.namespace),
            str(parent["name"]),
            str(parent.get("sectionName") or ""),
            str(parent.get("port") or ""),
        )
        for parent in parents
    )


def _middleware(trigger: HTTPTrigger, one: Mapping[str, Any]) -> Object:
    return stamped(
        {
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": metadata(
                trigger, one["metadata"]["name"], {**trigger.labels, **ingress.LABELS}
            ),
            "spec": one["spec"],
        }
    )


def _is_https(parents: tuple[Mapping[str, Any], ...]) -> bool:
    """Whether all parents look like HTTPS: the Gateway itself is not ours to read."""
    return all(
        parent.get("port") in (443, 8443) or "https" in str(parent.get("sectionName") or "")
        for parent in parents
    )


def _url(trigger: HTTPTrigger, https: bool) -> str:
    return f"{'https' if https else 'http'}://{trigger.host or '*'}{trigger.path}"
