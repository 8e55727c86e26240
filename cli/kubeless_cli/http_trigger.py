"""The HTTPTrigger that a command line asks for: pure, no cluster."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_cli.fields import put
from kubeless_cli.flags import Given
from kubeless_cli.names import check_object_name
from kubeless_cli.trigger import annotate

Object = dict[str, Any]

GATEWAYS = ("nginx", "traefik", "kong", "contour")

# The flag that sets a field, and what takes it out again where that is not the flag with "".
_FLAGS = {
    "parentRefs": "--parent-ref",
    "gateway": "--gateway",
    "ingressClassName": "--ingress-class",
    "tls-secret": "--tls-secret",
    "tls": "--enableTLSAcme",
    "basic-auth-secret": "--basic-auth-secret",
    "cors-enable": "--cors-enable",
}
_OUT = {"tls": "--no-enableTLSAcme", "cors-enable": "--no-cors-enable"}
_CERTIFICATES = (
    "the certificates belong to the Gateway; name a listener that has one, as in public:https"
)
_EXCLUDE = (
    ("parentRefs", "gateway", "a parent gets an HTTPRoute, a gateway an Ingress"),
    ("parentRefs", "ingressClassName", "a parent gets an HTTPRoute, a class an Ingress"),
    ("parentRefs", "tls-secret", _CERTIFICATES),
    ("parentRefs", "tls", _CERTIFICATES),
    (
        "parentRefs",
        "basic-auth-secret",
        "an HTTPRoute can't ask for passwords; attach a policy of the gateway's own to it",
    ),
    (
        "parentRefs",
        "cors-enable",
        "an HTTPRoute doesn't answer CORS; let the function do it, by the variable FUNC_CORS=true",
    ),
    ("tls-secret", "tls", "the certificate is there already, or is to be made"),
)


@dataclass(frozen=True)
class HTTPWish(Given):
    """What the flags of one command line ask for. None: the flag was not given."""

    function_name: str | None = None
    hostname: str | None = None
    path: str | None = None
    parent_ref: tuple[Object, ...] | None = None
    ingress_class: str | None = None
    gateway: str | None = None
    tls: bool | None = None
    tls_secret: str | None = None
    basic_auth_secret: str | None = None
    cors: bool | None = None
    label: Mapping[str, str] | None = None
    annotation: Mapping[str, str] | None = None


def change(trigger: Object, wish: HTTPWish) -> Object:
    """A copy of `trigger` with what the flags say changed.

    Raises ValueError when it would say two things that exclude each other.
    """
    trigger = copy.deepcopy(trigger)
    annotate(trigger["metadata"], wish.label, wish.annotation)
    spec: Object = trigger.setdefault("spec", {})
    before = dict(spec)
    put(spec, "function-name", wish.function_name)
    put(spec, "host-name", wish.hostname)
    put(spec, "path", wish.path)
    put(spec, "parentRefs", None if wish.parent_ref is None else list(wish.parent_ref))
    put(spec, "ingressClassName", wish.ingress_class)
    put(spec, "gateway", wish.gateway)
    put(spec, "tls", "" if wish.tls is False else wish.tls)
    put(spec, "tls-secret", wish.tls_secret)
    put(spec, "basic-auth-secret", wish.basic_auth_secret)
    put(spec, "cors-enable", "" if wish.cors is False else wish.cors)
    _refuse_what_excludes_itself(before, spec)
    return trigger


def _refuse_what_excludes_itself(before: Object, after: Object) -> None:
    for one, other, why in _EXCLUDE:
        if not after.get(one) or not after.get(other):
            continue
        there = [field for field in (one, other) if after[field] == before.get(field)]
        if len(there) == 2:
            continue  # not of this command line's making; the trigger's status tells
        advice = (
            f"The trigger has {there[0]} already: {_out(there[0])} takes it out."
            if there
            else "Leave one of them out."
        )
        raise ValueError(f"{_FLAGS[one]} and {_FLAGS[other]} exclude each other: {why}.\n{advice}")


def _out(field: str) -> str:
    return _OUT.get(field, f'{_FLAGS[field]} ""')


def check_gateway(value: str) -> None:
    if value not in GATEWAYS:
        raise ValueError(
            f"'{value}' is not a gateway that Kubeless knows: expected {', '.join(GATEWAYS)}. "
            "--ingress-class takes the class of any other."
        )


def parse_parent(text: str) -> Object:
    """`[NAMESPACE/]NAME[:LISTENER]` as a parentRef. Raises ValueError."""
    namespace, slash, rest = text.rpartition("/")
    name, colon, section = rest.partition(":")
    parts = [name, *([namespace] if slash else []), *([section] if colon else [])]
    try:
        for part in parts:
            check_object_name(part)
    except ValueError as error:
        raise ValueError(
            f"'{text}' is not a Gateway: expected [NAMESPACE/]NAME[:LISTENER], such as "
            f"gateways/public or public:https; {error}"
        ) from None
    parent: Object = {"name": name}
    put(parent, "namespace", namespace)
    put(parent, "sectionName", section)
    return parent
