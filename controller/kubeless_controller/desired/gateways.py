"""What each Ingress controller is told in annotations: rewriting, basic auth, CORS, time limits.

An Ingress itself says host, path and TLS only. The annotations are those of the controllers' documentation:
ingress-nginx (user-guide/nginx-configuration/annotations), Traefik (reference/routing-configuration/kubernetes/ingress
and .../http/middlewares), Kong (reference/annotations), Contour (config/annotations).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api.conditions import UNSUPPORTED_BY_GATEWAY
from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import HTTPTrigger

Object = dict[str, Any]

# The server answers 408 within the timeout and a moment: a gateway that waits less would hide that.
PATIENCE_SECONDS = 5
# What the runtimes take at most by default; they answer 413 themselves.
BODY_LIMIT = "100m"
CORS_METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
CORS_HEADERS = ["Authorization", "Content-Type", "X-Requested-With"]


@dataclass(frozen=True)
class Rendered:
    """How one controller is told: ``path`` and ``path_type`` of the rule, annotations, Traefik's Middlewares.

    ``note`` says what the controller cannot do, and what happens instead.
    """

    path: str
    path_type: str
    annotations: Mapping[str, str]
    middlewares: tuple[Object, ...] = ()
    note: str = ""


def seconds(timeout: float) -> int:
    """How long a gateway waits for a function with this timeout."""
    return math.ceil(timeout) + PATIENCE_SECONDS


def render(gateway: str, trigger: HTTPTrigger, timeout: float) -> Rendered:
    """Render for the controller named ``gateway``; one that is not known gets host, path and TLS.

    Raises SpecError for what that controller cannot be told.
    """
    return _RENDERERS.get(gateway, _plain)(trigger, timeout)


def known(name: str) -> bool:
    """Say whether this is the name of a controller whose annotations are known."""
    return name in _RENDERERS


def names() -> list[str]:
    """The controllers whose annotations are known."""
    return list(_RENDERERS)


def _nginx(trigger: HTTPTrigger, timeout: float) -> Rendered:
    prefix = "nginx.ingress.kubernetes.io"
    annotations = {
        f"{prefix}/proxy-read-timeout": str(seconds(timeout)),
        f"{prefix}/proxy-send-timeout": str(seconds(timeout)),
        f"{prefix}/proxy-body-size": BODY_LIMIT,
        # Streams are passed on as they come.
        f"{prefix}/proxy-buffering": "off",
    }
    if trigger.basic_auth_secret:
        annotations[f"{prefix}/auth-type"] = "basic"
        annotations[f"{prefix}/auth-secret"] = trigger.basic_auth_secret
        annotations[f"{prefix}/auth-realm"] = "Authentication Required"
    if trigger.cors:
        annotations[f"{prefix}/enable-cors"] = "true"
        annotations[f"{prefix}/cors-allow-methods"] = ", ".join(CORS_METHODS)
        annotations[f"{prefix}/cors-allow-headers"] = ", ".join(CORS_HEADERS)
    if trigger.path == "/":
        return Rendered("/", "Prefix", annotations)
    annotations[f"{prefix}/use-regex"] = "true"
    annotations[f"{prefix}/rewrite-target"] = "/$2"
    # The path is a pattern to this controller, and to nobody who wrote it.
    pattern = f"{re.escape(trigger.path)}(/|$)(.*)"
    return Rendered(pattern, "ImplementationSpecific", annotations)


def _traefik(trigger: HTTPTrigger, timeout: float) -> Rendered:
    specs: dict[str, Object] = {}
    if trigger.path != "/":
        specs["prefix"] = {"stripPrefix": {"prefixes": [trigger.path]}}
    if trigger.basic_auth_secret:
        specs["auth"] = {"basicAuth": {"secret": trigger.basic_auth_secret, "removeHeader": False}}
    if trigger.cors:
        specs["cors"] = {
            "headers": {
                "accessControlAllowMethods": CORS_METHODS,
                "accessControlAllowHeaders": CORS_HEADERS,
                "accessControlAllowOriginList": ["*"],
                "accessControlMaxAge": 1728000,
                "addVaryHeader": True,
            }
        }
    middlewares = tuple(
        {"metadata": {"name": f"{trigger.name}-{part}"}, "spec": spec}
        for part, spec in specs.items()
    )
    annotations = {}
    if middlewares:
        annotations["traefik.ingress.kubernetes.io/router.middlewares"] = ",".join(
            f"{trigger.namespace}-{one['metadata']['name']}@kubernetescrd" for one in middlewares
        )
    if trigger.tls or trigger.tls_secret:
        annotations["traefik.ingress.kubernetes.io/router.tls"] = "true"
    return Rendered(trigger.path, "Prefix", annotations, middlewares)


def _kong(trigger: HTTPTrigger, timeout: float) -> Rendered:
    _refuse(trigger, "kong")
    strip = "true" if trigger.path != "/" else "false"
    return Rendered(trigger.path, "Prefix", {"konghq.com/strip-path": strip})


def _contour(trigger: HTTPTrigger, timeout: float) -> Rendered:
    _refuse(trigger, "contour")
    annotations = {"projectcontour.io/response-timeout": f"{seconds(timeout)}s"}
    return Rendered(trigger.path, "Prefix", annotations, note=_unchanged(trigger, "contour"))


def _plain(trigger: HTTPTrigger, timeout: float) -> Rendered:
    _refuse(trigger, trigger.ingress_class or "the cluster's default")
    return Rendered(trigger.path, "Prefix", {}, note=_unchanged(trigger, trigger.ingress_class))


_RENDERERS: dict[str, Callable[[HTTPTrigger, float], Rendered]] = {
    "nginx": _nginx,
    "traefik": _traefik,
    "kong": _kong,
    "contour": _contour,
}


def _unchanged(trigger: HTTPTrigger, ingress_class: str) -> str:
    if trigger.path == "/":
        return ""
    which = f"class {ingress_class!r}" if ingress_class else "the default class"
    return (
        f"an Ingress of {which} cannot replace the prefix {trigger.path!r}: the function sees it in its path; "
        "a Gateway (spec.parentRefs) can"
    )


def _refuse(trigger: HTTPTrigger, which: str) -> None:
    """Refuse what no annotation of this controller says."""
    if trigger.basic_auth_secret:
        raise SpecError(
            UNSUPPORTED_BY_GATEWAY,
            f"spec.basic-auth-secret: an Ingress of {which} has no annotation for it; use gateway nginx or traefik, or "
            "take it out and give the route a policy of your gateway",
        )
    if trigger.cors:
        raise SpecError(
            UNSUPPORTED_BY_GATEWAY,
            f"spec.cors-enable: an Ingress of {which} has no annotation for it; take it out and let the function answer: "
            "set FUNC_CORS to 'true' in the Function's spec.env",
        )
