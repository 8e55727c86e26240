"""Contour's Deployment and Envoy's DaemonSet.

They follow `examples/contour` of Contour's module. What differs: one Contour, without an
election; no sidecar that drains Envoy before it ends, since nobody waits for a local
cluster's last connections; probes that look every second; addresses told by a flag instead
of a Service that nothing here would give an address to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

NAMESPACE = "projectcontour"
CLASS = "contour"
"""Name of the GatewayClass and of the IngressClass."""
HTTP, HTTPS, READY, CONTROL = 8080, 8443, 8002, 8001
"""Ports of the pods; the first two are Contour's answer to listeners at 80 and 443."""
EXPERIMENTAL = ("tlsroutes", "tcproutes", "backendtlspolicies")
"""What Contour is told not to watch, since the standard definitions do not have it."""


def metadata(name: str) -> Object:
    """Of an object in the gateway's namespace."""
    return {"name": name, "namespace": NAMESPACE}


def _field(name: str, path: str) -> Object:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _container(name: str, image: str, args: list[str], mounts: Mapping[str, str]) -> Object:
    writable = ("config", "admin") if name == "bootstrap" else ("admin",)
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "args": args,
        "env": [
            _field("CONTOUR_NAMESPACE", "metadata.namespace"),
            _field("POD_NAME", "metadata.name"),
        ],
        "volumeMounts": [
            {"name": volume, "mountPath": path, "readOnly": volume not in writable}
            for volume, path in mounts.items()
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _workload(kind: str, name: str, spec: Object, **more: Any) -> Object:
    pod = {
        "serviceAccountName": name,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "runAsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **spec,
    }
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {**metadata(name), "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **more,
        },
    }


def _certificates(program: str) -> list[str]:
    """Flags that tell Contour, or Envoy's first configuration, where its own are."""
    names = {"cafile": "ca.crt", "cert-file": "tls.crt", "key-file": "tls.key"}
    return [f"--{program}-{flag}=/certs/{file}" for flag, file in names.items()]


def deployment(image: str, address: str) -> Object:
    """Contour itself; `address` is what it writes into the status of Ingresses and the Gateway."""
    args = [
        "serve",
        "--incluster",
        "--xds-address=0.0.0.0",
        f"--xds-port={CONTROL}",
        *_certificates("contour"),
        "--config-path=/config/contour.yaml",
        "--disable-leader-election",
        f"--ingress-class-name={CLASS}",
        f"--ingress-status-address={address}",
        *(f"--disable-feature={name}" for name in EXPERIMENTAL),
    ]
    container = {
        **_container("contour", image, args, {"certs": "/certs", "config": "/config"}),
        "ports": [
            {"name": "xds", "containerPort": CONTROL, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 8000, "protocol": "TCP"},
        ],
        "readinessProbe": {"tcpSocket": {"port": CONTROL}, "periodSeconds": 1},
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": 8000},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        "resources": {"requests": {"cpu": "20m", "memory": "40Mi"}},
    }
    spec = {
        "containers": [container],
        "volumes": [
            {"name": "certs", "secret": {"secretName": "contourcert"}},
            {"name": "config", "configMap": {"name": "contour"}},
        ],
    }
    return _workload("Deployment", "contour", spec, replicas=1)


def daemon_set(contour_image: str, image: str) -> Object:
    """Envoy, with the configuration that makes it ask Contour for everything else."""
    bootstrap = [
        "bootstrap",
        "/config/envoy.json",
        "--xds-address=contour",
        f"--xds-port={CONTROL}",
        "--xds-resource-version=v3",
        "--resources-dir=/config/resources",
        *_certificates("envoy"),
    ]
    serve = [
        "--config-path",
        "/config/envoy.json",
        "--service-cluster",
        NAMESPACE,
        "--service-node",
        "$(POD_NAME)",
        "--log-level",
        "info",
        # One worker for each core of a large machine would cost memory that no test uses.
        "--concurrency",
        "2",
        # Handing sockets to a successor needs shared memory; here the pod is replaced.
        "--disable-hot-restart",
    ]
    mounts = {"config": "/config", "certs": "/certs", "admin": "/admin"}
    container = {
        **_container("envoy", image, serve, mounts),
        "ports": [
            {"name": "http", "containerPort": HTTP, "hostPort": 80, "protocol": "TCP"},
            {"name": "https", "containerPort": HTTPS, "hostPort": 443, "protocol": "TCP"},
            {"name": "metrics", "containerPort": READY, "protocol": "TCP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": READY}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "20m", "memory": "60Mi"}},
    }
    spec = {
        "automountServiceAccountToken": False,
        "initContainers": [_container("bootstrap", contour_image, bootstrap, mounts)],
        "containers": [container],
        "volumes": [
            {"name": "admin", "emptyDir": {}},
            {"name": "config", "emptyDir": {}},
            {"name": "certs", "secret": {"secretName": "envoycert"}},
        ],
    }
    return _workload("DaemonSet", "envoy", spec)
