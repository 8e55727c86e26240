"""An HTTPTrigger as its user wrote it, parsed and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubeless_api import fields, names
from kubeless_api.conditions import (
    INVALID_HOST,
    INVALID_PATH,
    INVALID_SPEC,
    TLS_BELONGS_TO_GATEWAY,
)
from kubeless_api.errors import SpecError

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_IPV4 = re.compile(r"[0-9.]+")
MAX_HOST = 253
# What Gateway API and Ingress controllers agree on as a path prefix.
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*")
MAX_PATH = 1024
_NOT_IN_PATH = ("//", "/./", "/../", "%2f", "%2F")


@dataclass(frozen=True)
class HTTPTrigger:
    """One HTTPTrigger; fields that are not set are empty.

    ``host`` is '' for every host. ``path`` is the prefix that is replaced: '/' or like '/a', without a
    slash at its end. ``created`` is when it was made (RFC 3339): of two that want the same, the older has it.
    ``gateway`` is the kind of controller that serves the Ingress, as the original named it.
    """

    kind: ClassVar[str] = names.HTTP_TRIGGER_KIND

    namespace: str
    name: str
    uid: str
    created: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    function: str
    host: str
    path: str
    tls: bool
    tls_secret: str
    basic_auth_secret: str
    cors: bool
    gateway: str
    ingress_class: str
    parent_refs: tuple[Mapping[str, Any], ...]


def parse(obj: Mapping[str, Any]) -> HTTPTrigger:
    """Parse an HTTPTrigger object of the API server. Raises SpecError."""
    metadata = obj["metadata"]
    spec = fields.mapping(obj, "spec", "")
    function = fields.text(spec, "function-name", "spec")
    if not function:
        raise fields.wrong("spec.function-name", None, "the name of a Function of this namespace")
    parents = tuple(fields.without_unset(fields.objects(spec, "parentRefs", "spec")))
    trigger = HTTPTrigger(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        created=str(metadata.get("creationTimestamp", "")),
        labels=fields.strings(metadata, "labels", "metadata"),
        annotations=fields.strings(metadata, "annotations", "metadata"),
        function=function,
        host=parse_host(fields.text(spec, "host-name", "spec")),
        path=parse_path(fields.text(spec, "path", "spec")),
        tls=_flag(spec, "tls"),
        tls_secret=fields.text(spec, "tls-secret", "spec"),
        basic_auth_secret=fields.text(spec, "basic-auth-secret", "spec"),
        cors=_flag(spec, "cors-enable"),
        gateway=fields.text(spec, "gateway", "spec"),
        ingress_class=fields.text(spec, "ingressClassName", "spec"),
        parent_refs=tuple(_parent(parent, index) for index, parent in enumerate(parents)),
    )
    if trigger.parent_refs and (trigger.gateway or trigger.ingress_class):
        field = "gateway" if trigger.gateway else "ingressClassName"
        raise SpecError(
            INVALID_SPEC,
            f"spec.parentRefs and spec.{field}: found both, expected one: parentRefs attach to a Gateway, "
            f"{field} makes an Ingress; take one of them out",
        )
    return trigger


def parse_host(value: str) -> str:
    """A DNS name in lower case, with '*.' before it for all names below it; '' for every host. Raises SpecError."""
    host = value.lower()
    if not host:
        return ""
    if len(host) > MAX_HOST or not _HOST.fullmatch(host) or _IPV4.fullmatch(host):
        raise SpecError(
            INVALID_HOST,
            f"spec.host-name: found {value!r}, expected a DNS name of at most {MAX_HOST} characters like "
            "'hello.example.com', or '*.example.com' for all names below it; no port, no scheme, no address",
        )
    return host


def parse_path(value: str) -> str:
    """A path prefix, with or without its leading slash, as '/' or '/a/b'. Raises SpecError."""
    path = "/" + value.strip("/") if not value.startswith("//") else value
    wrong = [part for part in _NOT_IN_PATH if part in path]
    if path.endswith(("/.", "/..")):
        wrong.append(path[path.rindex("/") :])
    if wrong or len(path) > MAX_PATH or not _PATH.fullmatch(path):
        found = f"{value!r} with {wrong[0]!r} in it" if wrong else repr(value)
        raise SpecError(
            INVALID_PATH,
            f"spec.path: found {found}, expected a prefix like 'hello' or '/a/b' of at most {MAX_PATH} "
            "characters: letters, digits, -._~!$&'()*+,;=:@ and %XX; it is taken literally, not as a pattern",
        )
    return path


def refuse_tls(trigger: HTTPTrigger) -> None:
    """Raise SpecError where a trigger that attaches to a Gateway asks for a certificate of its own."""
    asked = [f for f, on in (("tls-secret", trigger.tls_secret), ("tls", trigger.tls)) if on]
    if asked:
        raise SpecError(
            TLS_BELONGS_TO_GATEWAY,
            f"spec.{asked[0]}: found it together with a Gateway as parent, whose listeners hold the certificates; "
            "take it out, and attach to an HTTPS listener by sectionName",
        )


def gateway_reference(parent: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of parentRefs with what it means where it does not say it, as the API server writes it."""
    return {"group": "gateway.networking.k8s.io", "kind": "Gateway", **parent}


def _flag(spec: Mapping[str, Any], key: str) -> bool:
    value = spec.get(key)
    if value is None or value == "":
        return False
    if not isinstance(value, bool):
        raise fields.wrong(f"spec.{key}", value, "true or false")
    return value


def _parent(parent: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    path = f"spec.parentRefs[{index}]"
    if not fields.text(parent, "name", path):
        raise fields.wrong(f"{path}.name", parent.get("name"), "the name of a Gateway")
    return gateway_reference(parent)
