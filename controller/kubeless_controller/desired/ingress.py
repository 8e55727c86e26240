"""The Ingress of an HTTPTrigger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api import names
from kubeless_api.conditions import INVALID_HOST
from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import HTTPTrigger
from kubeless_controller.desired import gateways
from kubeless_controller.desired.owned import metadata, stamped
from kubeless_controller.settings import HTTP, TLSIssuer

Object = dict[str, Any]

LABELS = {names.LABEL_CREATED_BY: names.CREATED_BY, names.LABEL_TRIGGER: "http"}
# What kubectl keeps for itself, and what is ours.
_NOT_COPIED = ("kubectl.kubernetes.io/last-applied-configuration",)


def class_of(trigger: HTTPTrigger, settings: HTTP) -> str:
    """The class of the Ingress; '' for the cluster's default one."""
    return trigger.ingress_class or trigger.gateway or settings.ingress_class


def gateway_of(trigger: HTTPTrigger, settings: HTTP) -> str:
    """Which controller serves that class: what the trigger or the installation says, or the class's own name."""
    ingress_class = class_of(trigger, settings)
    if trigger.gateway:
        return trigger.gateway
    if ingress_class == settings.ingress_class and settings.gateway:
        return settings.gateway
    return ingress_class if gateways.known(ingress_class) else ""


def build(trigger: HTTPTrigger, port: int, rendered: gateways.Rendered, settings: HTTP) -> Object:
    """Build the Ingress, to the port of the function's Service. Raises SpecError."""
    ingress_class = class_of(trigger, settings)
    path = {
        "path": rendered.path,
        "pathType": rendered.path_type,
        "backend": {"service": {"name": trigger.function, "port": {"number": port}}},
    }
    rule: Object = {"http": {"paths": [path]}}
    if trigger.host:
        rule["host"] = trigger.host
    spec: Object = {"rules": [rule]}
    if ingress_class:
        spec["ingressClassName"] = ingress_class
    annotations = dict(rendered.annotations)
    if trigger.tls or trigger.tls_secret:
        spec["tls"] = [_tls(trigger)]
        if not trigger.tls_secret:
            annotations.update(_issuer(settings.tls_issuer))
    return stamped(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata(
                trigger,
                trigger.name,
                {**trigger.labels, **LABELS},
                annotations={**annotations, **own_annotations(trigger)},
            ),
            "spec": spec,
        }
    )


def own_annotations(trigger: HTTPTrigger) -> Mapping[str, str]:
    """The trigger's annotations, which go on to what is made of it and win over ours."""
    return {
        key: value
        for key, value in trigger.annotations.items()
        if key not in _NOT_COPIED and not key.startswith(f"{names.GROUP}/")
    }


def _tls(trigger: HTTPTrigger) -> Object:
    if not trigger.host:
        raise SpecError(
            INVALID_HOST,
            "spec.host-name: found nothing, expected a DNS name: a certificate is for a name (spec.tls, spec.tls-secret)",
        )
    return {"hosts": [trigger.host], "secretName": trigger.tls_secret or f"{trigger.name}-tls"}


def _issuer(issuer: TLSIssuer) -> Mapping[str, str]:
    """What asks for a certificate: of the issuer that the installation names, else of cert-manager's default one."""
    if not issuer.name:
        return {"kubernetes.io/tls-acme": "true"}
    kind = "cluster-issuer" if issuer.kind == "ClusterIssuer" else "issuer"
    return {f"cert-manager.io/{kind}": issuer.name}
