"""Cluster DNS: CoreDNS as a Deployment behind the Service `kube-dns`."""

from __future__ import annotations

from typing import Any

from .instance import Instance

NAMESPACE = "kube-system"
LABELS = {"k8s-app": "kube-dns"}
KUBERNETES = """kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }"""
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/coredns"


def corefile(*, forward: bool) -> str:
    """CoreDNS' configuration; `forward` sends other names to the host's resolvers."""
    blocks = [
        "errors",
        "health {\n        lameduck 1s\n    }",
        "ready",
        KUBERNETES,
        "prometheus :9153",
        *(["forward . /etc/resolv.conf"] if forward else []),
        "cache 30",
        "reload",
    ]
    return ".:53 {\n" + "".join(f"    {block}\n" for block in blocks) + "}\n"


def _metadata(name: str, *, namespaced: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "labels": LABELS}
    if namespaced:
        found["namespace"] = NAMESPACE
    return found


def _deployment(image: str, configuration: str) -> dict[str, Any]:
    def probe(port: int, path: str) -> dict[str, Any]:
        return {"httpGet": {"port": port, "path": path}, "periodSeconds": 2, "timeoutSeconds": 5}

    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "50m", "memory": "40Mi"}, "limits": {"memory": "170Mi"}},
        "readinessProbe": {**probe(8181, "/ready"), "periodSeconds": 1},
        "livenessProbe": {**probe(8080, "/health"), "periodSeconds": 10, "failureThreshold": 5},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("coredns"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": LABELS},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}},
            "template": {
                # A new Corefile is a new pod: no waiting for the mount to follow.
                "metadata": {
                    "labels": LABELS,
                    "annotations": {"kubeless.io/corefile": configuration},
                },
                "spec": {
                    "serviceAccountName": "coredns",
                    "priorityClassName": "system-cluster-critical",
                    "dnsPolicy": "Default",
                    "enableServiceLinks": False,
                    "containers": [container],
                    "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                        "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
                    },
                },
            },
        },
    }


def manifests(instance: Instance, image: str, *, forward: bool) -> list[tuple[str, dict[str, Any]]]:
    """Every object as (API path, object), in the order to apply them."""
    core, rbac = f"/api/v1/namespaces/{NAMESPACE}", "/apis/rbac.authorization.k8s.io/v1"
    role = "system:coredns"
    configuration = corefile(forward=forward)
    read = ["list", "watch"]
    return [
        (
            f"{core}/serviceaccounts/coredns",
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata("coredns")},
        ),
        (
            f"{rbac}/clusterroles/{role}",
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": _metadata(role, namespaced=False),
                "rules": [
                    {
                        "apiGroups": [""],
                        "resources": ["endpoints", "services", "pods", "namespaces"],
                        "verbs": read,
                    },
                    {
                        "apiGroups": ["discovery.k8s.io"],
                        "resources": ["endpointslices"],
                        "verbs": read,
                    },
                ],
            },
        ),
        (
            f"{rbac}/clusterrolebindings/{role}",
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": _metadata(role, namespaced=False),
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": role,
                },
                "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": NAMESPACE}],
            },
        ),
        (
            f"{core}/configmaps/coredns",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": _metadata("coredns"),
                "data": {"Corefile": configuration},
            },
        ),
        (DEPLOYMENT, _deployment(image, configuration)),
        (
            f"{core}/services/kube-dns",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": _metadata("kube-dns"),
                "spec": {
                    "clusterIP": str(instance.dns_service),
                    "selector": LABELS,
                    "ports": [
                        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
                    ],
                },
            },
        ),
    ]
