"""Python programs of tests as pods, in the image of the Kafka consumer, which has confluent-kafka and aiohttp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, PODS, SERVICES
from support import images
from support.waiting import wait_for

Object = dict[str, Any]
PORT = 8080
SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Program:
    """A Deployment of one Python file, and its Service of the same name."""

    client: Client
    namespace: str
    name: str
    address: str

    @property
    def url(self) -> str:
        """Where other pods reach it; without a slash at the end."""
        return f"http://{self.name}.{self.namespace}.svc:{PORT}"

    def pods(self) -> list[Object]:
        """Its pods that are not on their way out."""
        found = self.client.list(PODS, self.namespace, labels=f"app={self.name}")["items"]
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def scale(self, replicas: int) -> None:
        """Have so many pods, and wait until they are ready and no others are left."""
        body = {"spec": {"replicas": replicas}}
        self.client.patch(DEPLOYMENTS, self.namespace, self.name, body, subresource="scale")
        self.wait()

    def wait(self, seconds: float = 90) -> None:
        """Wait until the pods that are wanted are all there are, and ready."""

        def settled() -> bool:
            found = self.client.get(DEPLOYMENTS, self.namespace, self.name)
            status, wanted = found.get("status", {}), found["spec"]["replicas"]
            pods = self.client.list(PODS, self.namespace, labels=f"app={self.name}")["items"]
            return (
                status.get("observedGeneration", 0) >= found["metadata"]["generation"]
                and status.get("readyReplicas", 0) == len(pods) == wanted
            )

        wait_for(settled, f"the pods of {self.name} are ready", seconds, pause=0.1)


def start(
    client: Client,
    namespace: str,
    name: str,
    file: Path,
    *,
    env: Mapping[str, str] | None = None,
    replicas: int = 1,
    ports: tuple[int, ...] = (PORT,),
    labels: Mapping[str, str] | None = None,
) -> Program:
    """Make the program's objects; ``wait`` waits for its pods."""
    metadata = {"name": name, "namespace": namespace}
    client.create(CONFIGMAPS, {"metadata": metadata, "data": {"main.py": file.read_text()}})
    container = {
        "name": "program",
        "image": images.reference("kafka-trigger"),
        "command": ["/usr/bin/python3", "-P", "/program/main.py"],
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
        "readinessProbe": {"tcpSocket": {"port": ports[0]}, "periodSeconds": 1},
        "securityContext": SECURITY,
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": RESTRICTED,
        "containers": [container],
        "volumes": [{"name": "program", "configMap": {"name": name}}],
    }
    client.create(
        DEPLOYMENTS,
        {
            "metadata": metadata,
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {
                        "labels": {
                            "app": name,
                            "kubeless.io/kafka-client": "true",
                            **(labels or {}),
                        }
                    },
                    "spec": spec,
                },
            },
        },
    )
    made = client.create(
        SERVICES,
        {
            "metadata": metadata,
            "spec": {
                "selector": {"app": name},
                "ports": [{"name": f"p{port}", "port": port} for port in ports],
            },
        },
    )
    return Program(client, namespace, name, made["spec"]["clusterIP"])
