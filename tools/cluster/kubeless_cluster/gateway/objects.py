"""Every object of the gateway but the definitions and the roles, which its modules bring."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from .workloads import CLASS, CONTROL, NAMESPACE, Object, daemon_set, deployment, metadata

GATEWAY = "kubeless"
DEFINITIONS = "kubeless.io/definitions"
"""Annotation of the namespace; it spares a second `up` the sending of a megabyte."""

CORE = "/api/v1"
APPS = "/apis/apps/v1"
NETWORKING = "/apis/networking.k8s.io/v1"
API = "/apis/gateway.networking.k8s.io/v1"
NAMESPACE_PATH = f"{CORE}/namespaces/{NAMESPACE}"
DEPLOYMENT_PATH = f"{APPS}/namespaces/{NAMESPACE}/deployments/contour"
DAEMON_SET_PATH = f"{APPS}/namespaces/{NAMESPACE}/daemonsets/envoy"
GATEWAY_PATH = f"{API}/namespaces/{NAMESPACE}/gateways/{GATEWAY}"
CLASS_PATH = f"{API}/gatewayclasses/{CLASS}"
INGRESS_CLASS_PATH = f"{NETWORKING}/ingressclasses/{CLASS}"


@dataclass(frozen=True)
class KeyPair:
    """A certificate, its key, and the authority to trust; PEM."""

    authority: str
    certificate: str
    key: str


def _secret(name: str, pair: KeyPair) -> tuple[str, Object]:
    texts = {"ca.crt": pair.authority, "tls.crt": pair.certificate, "tls.key": pair.key}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return f"{NAMESPACE_PATH}/secrets/{name}", {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": metadata(name),
        "data": data,
    }


def _account(name: str) -> tuple[str, Object]:
    found = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name)}
    return f"{NAMESPACE_PATH}/serviceaccounts/{name}", found


def namespace(definitions: str = "") -> tuple[str, Object]:
    """The namespace; `definitions` is the build whose definitions the cluster has, once it has."""
    named: Object = {"name": NAMESPACE}
    if definitions:
        named["annotations"] = {DEFINITIONS: definitions}
    return NAMESPACE_PATH, {"apiVersion": "v1", "kind": "Namespace", "metadata": named}


def objects(
    images: tuple[str, str], address: str, pairs: Mapping[str, KeyPair]
) -> list[tuple[str, Object]]:
    """The rest, as (API path, object) in the order to apply; needs the namespace and the definitions.

    `images` are Contour's and Envoy's, `pairs` those of `contour`, `envoy` and `listener`.
    """
    configuration = f"gateway:\n  gatewayRef:\n    name: {GATEWAY}\n    namespace: {NAMESPACE}\n"
    everywhere = {"namespaces": {"from": "All"}}
    return [
        _account("contour"),
        _account("envoy"),
        _secret("contourcert", pairs["contour"]),
        _secret("envoycert", pairs["envoy"]),
        _secret("listener", pairs["listener"]),
        (
            f"{NAMESPACE_PATH}/configmaps/contour",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": metadata("contour"),
                "data": {"contour.yaml": configuration},
            },
        ),
        (
            f"{NAMESPACE_PATH}/services/contour",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": metadata("contour"),
                "spec": {
                    "selector": {"app": "contour"},
                    "ports": [
                        {"name": "xds", "port": CONTROL, "protocol": "TCP", "targetPort": CONTROL}
                    ],
                },
            },
        ),
        (DEPLOYMENT_PATH, deployment(images[0], address)),
        (DAEMON_SET_PATH, daemon_set(*images)),
        (
            INGRESS_CLASS_PATH,
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {"name": CLASS},
                "spec": {"controller": "projectcontour.io/ingress-controller"},
            },
        ),
        (
            CLASS_PATH,
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "GatewayClass",
                "metadata": {"name": CLASS},
                "spec": {"controllerName": "projectcontour.io/gateway-controller"},
            },
        ),
        (
            GATEWAY_PATH,
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": metadata(GATEWAY),
                "spec": {
                    "gatewayClassName": CLASS,
                    "listeners": [
                        {
                            "name": "http",
                            "protocol": "HTTP",
                            "port": 80,
                            "allowedRoutes": everywhere,
                        },
                        {
                            "name": "https",
                            "protocol": "HTTPS",
                            "port": 443,
                            "allowedRoutes": everywhere,
                            "tls": {
                                "mode": "Terminate",
                                "certificateRefs": [{"kind": "Secret", "name": "listener"}],
                            },
                        },
                    ],
                },
            },
        ),
    ]
