"""The pod that does what the command line asks of Kafka, inside the cluster; pure.

Brokers have names that only the cluster knows. The pod has the consumer's image, no service account's
token, and the Kafka credentials as mounted Secrets: they never pass through the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kubeless_api.kafka_connection import Connection
from kubeless_api.names import GROUP, KAFKA_CLIENT, LABEL_KAFKA_CLIENT

Object = dict[str, Any]

CONTAINER = "admin"
LABEL_ADMIN = f"{GROUP}/admin"
AUTH_PATH = "/etc/kubeless/kafka-auth"
TLS_PATH = "/etc/kubeless/kafka-tls"
# It ends by itself when the command line is gone; this ends one that hangs.
DEADLINE_SECONDS = 3600
_USER = 65532


@dataclass(frozen=True)
class Target:
    """A Kafka, and where and with what image a pod reaches it. Secrets are of that namespace."""

    namespace: str
    connection: Connection
    image: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: list[Object] = field(default_factory=list)


def request_connection(target: Target) -> Object:
    """What the admin program is told of the connection."""
    connection = target.connection
    return {
        "bootstrapServers": connection.bootstrap_servers,
        "protocol": connection.protocol,
        "mechanism": connection.mechanism,
    }


def pod(target: Target) -> Object:
    """The manifest of the pod."""
    mounts, volumes = [], []
    for name, path, secret in (
        ("auth", AUTH_PATH, target.connection.auth_secret),
        ("tls", TLS_PATH, target.connection.tls_secret),
    ):
        if secret:
            mounts.append({"name": name, "mountPath": path, "readOnly": True})
            volumes.append({"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}})
    container = {
        "name": CONTAINER,
        "image": target.image,
        "imagePullPolicy": target.pull_policy or "IfNotPresent",
        "command": ["/usr/bin/python3", "-P", "-m", "kubeless_kafka.admin"],
        "stdin": True,
        "stdinOnce": True,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "volumeMounts": mounts,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "kubeless-admin-",
            "namespace": target.namespace,
            "labels": {LABEL_ADMIN: "true", LABEL_KAFKA_CLIENT: KAFKA_CLIENT},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "imagePullSecrets": target.pull_secrets,
            "containers": [container],
            "volumes": volumes,
        },
    }
