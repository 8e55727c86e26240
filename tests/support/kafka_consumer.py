"""The consumer's image as pods, as the controller runs it, and without the controller."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, PODS
from support import images
from support.kafka_desk import Desk, request
from support.objects import SECRETS
from support.pod_kill import kill_pod
from support.pod_programs import RESTRICTED, SECURITY
from support.waiting import wait_for

Object = dict[str, Any]
AUTH, TLS = "auth", "tls"
FOLDERS = {AUTH: "/etc/kubeless/kafka-auth", TLS: "/etc/kubeless/kafka-tls"}
PLAIN = {"protocol": "PLAINTEXT", "mechanism": ""}


def function_entry(name: str, url: str, topic: str, **changes: Any) -> Object:
    """A function as the consumer's configuration has it."""
    group = f"test_{name}_{topic}"
    return {"name": name, "url": url, "group": group, "timeout": 30.0, **changes}


def group_of(topic: str, name: str = "function") -> str:
    """The group that these consumers have for a function."""
    group: str = function_entry(name, "", topic)["group"]
    return group


def committed(desk: Desk, topic: str, offset: int, seconds: float = 30) -> None:
    """Wait until the group of ``function`` has committed this offset of partition 0."""
    wait_for(
        lambda: desk.committed(group_of(topic), topic).get(0) == offset,
        f"{offset} of {topic} is committed",
        seconds,
        pause=0.2,
    )


def configuration(bootstrap: str, topic: str, functions: list[Object], **changes: Any) -> Object:
    """A consumer's configuration with quick retries, and what the test is about."""
    return {
        "namespace": "default",
        "trigger": "test",
        "bootstrapServers": bootstrap,
        "topic": topic,
        "security": PLAIN,
        "functions": functions,
        "startOffset": "earliest",
        "retry": {"attempts": 4, "initialBackoff": 0.05, "maxBackoff": 1.0, "statuses": {}},
        "deadLetterTopic": f"{topic}.dlq",
        "responseTopic": "",
        "batch": None,
        "maxInFlight": 32,
        "maxUncommitted": 1000,
        "paused": False,
        **changes,
    }


@dataclass
class Consumer:
    """A Deployment, its ConfigMap and Secrets, all named ``name``."""

    client: Client
    namespace: str
    name: str
    config: Object
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    program: str = ""

    def start(self, replicas: int = 1) -> None:
        """Make its objects.

        ``program`` is a Python file's text that runs instead of the image's own command.
        """
        self._write_config()
        for kind, data in self.secrets.items():
            self.write_secret(kind, data)
        metadata = {"name": self.name, "namespace": self.namespace}
        if self.program:
            named = {**metadata, "name": f"{self.name}-program"}
            self.client.create(CONFIGMAPS, {"metadata": named, "data": {"main.py": self.program}})
        labels = {"app": self.name, "kubeless.io/kafka-client": "true"}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": self.name}},
            "template": {"metadata": {"labels": labels}, "spec": self._pod()},
        }
        self.client.create(DEPLOYMENTS, {"metadata": metadata, "spec": spec})

    def configure(self, **changes: Any) -> None:
        """Change the configuration, and wait until every pod has it."""
        self.config.update(changes)
        wanted = self._write_config()
        for pod in self.pods():
            # A changed annotation has the kubelet look at the pod's volumes at once.
            note = {"metadata": {"annotations": {"config": f"{wanted}-{time.monotonic()}"}}}
            self.client.patch(PODS, self.namespace, pod["metadata"]["name"], note)
        wait_for(
            lambda: {status["configHash"] for status in self.statuses()} == {wanted},
            f"{self.name} has the configuration {wanted}",
            90,
        )

    def write_secret(self, kind: str, data: Mapping[str, str]) -> None:
        """Make or change the Secret of credentials (AUTH) or of certificates (TLS)."""
        metadata = {"name": f"{self.name}-{kind}", "namespace": self.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        self.client.apply(SECRETS, {**secret, "stringData": dict(data)}, manager="test")
        for pod in self.pods():
            note = {"metadata": {"annotations": {kind: str(time.monotonic())}}}
            self.client.patch(PODS, self.namespace, pod["metadata"]["name"], note)

    def pods(self) -> list[Object]:
        """Its pods that are not on their way out, the oldest first."""
        found = self.client.list(PODS, self.namespace, labels=f"app={self.name}")["items"]
        left = [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]
        return sorted(left, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def statuses(self) -> list[Object]:
        """What each pod says at /status; of those that answer."""
        return [found for pod in self.pods() if (found := _status(pod))]

    def status(self) -> Object:
        """What the only pod says; {} while it does not."""
        return next(iter(self.statuses()), {})

    def function(self, name: str = "function") -> Object:
        """What the only pod says of a function; {} while it does not."""
        for found in self.status().get("functions", []):
            if found["name"] == name:
                entry: Object = found
                return entry
        return {}

    def problem(self, name: str = "function") -> str:
        """Why a function's records do not go on: the reason; '' when they do."""
        return str((self.function(name).get("problem") or {}).get("reason", ""))

    def wait_for_assignment(self, name: str = "function", seconds: float = 60) -> None:
        """Wait until the pods have all partitions of the topic."""

        def assigned() -> bool:
            entries = [
                entry
                for status in self.statuses()
                for entry in status["functions"]
                if entry["name"] == name
            ]
            found = [place["partition"] for entry in entries for place in entry["assigned"]]
            wanted = {entry["partitions"] for entry in entries}
            return bool(found) and {len(found)} == wanted and len(found) == len(set(found))

        wait_for(assigned, f"{self.name} has all partitions for {name}", seconds, pause=0.2)

    def wait_for_problem(self, reason: str, name: str = "function", seconds: float = 60) -> Object:
        """Wait until a function's records are held up for this reason; the problem."""

        def look() -> Object | None:
            problem = self.function(name).get("problem") or {}
            return problem if problem.get("reason") == reason else None

        try:
            return wait_for(look, f"{self.name} says {reason}", seconds, pause=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status()}\n{self.log()}") from None

    def wait_until_well(self, name: str = "function", seconds: float = 20) -> None:
        """Wait until the only pod says that nothing holds a function's records up; it asks brokers in its own time."""

        def well() -> bool:
            found = self.function(name)
            return bool(found) and found["problem"] is None

        wait_for(well, f"{self.name} has no problem any more", seconds)

    def scale(self, replicas: int) -> None:
        """Want so many pods."""
        body = {"spec": {"replicas": replicas}}
        self.client.patch(DEPLOYMENTS, self.namespace, self.name, body, subresource="scale")

    def leave(self) -> None:
        """Delete its Deployment and end its pods now, without waiting for them."""
        self.client.delete(DEPLOYMENTS, self.namespace, self.name)
        for pod in self.client.list(PODS, self.namespace, labels=f"app={self.name}")["items"]:
            kill_pod(self.client, self.namespace, pod["metadata"]["name"], remove=True)

    def log(self) -> str:
        """The last lines of every pod."""
        parts = []
        for pod in self.pods():
            path = PODS.path(self.namespace, pod["metadata"]["name"], "log")
            answer = self.client.request("GET", path, query={"tailLines": "40"})
            parts.append(answer.data.decode(errors="replace"))
        return "\n".join(parts)

    def _write_config(self) -> str:
        text = json.dumps(self.config, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        full = {"version": 1, "hash": digest, **self.config}
        made = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "data": {"config.json": json.dumps(full)},
        }
        self.client.apply(CONFIGMAPS, made, manager="test")
        return digest

    def _pod(self) -> Object:
        mounts = [{"name": "config", "mountPath": "/etc/kubeless/trigger", "readOnly": True}]
        volumes: list[Object] = [
            {"name": "config", "configMap": {"name": self.name}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
        ]
        mounts.append({"name": "tmp", "mountPath": "/tmp"})
        for kind in self.secrets:
            mounts.append({"name": kind, "mountPath": FOLDERS[kind], "readOnly": True})
            volumes.append({"name": kind, "secret": {"secretName": f"{self.name}-{kind}"}})
        container: Object = {
            "name": "consumer",
            "image": images.reference("kafka-trigger"),
            "env": [
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
            ],
            "ports": [{"containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1},
            "securityContext": SECURITY,
            "volumeMounts": mounts,
        }
        if self.program:
            mounts.append({"name": "program", "mountPath": "/program", "readOnly": True})
            volumes.append({"name": "program", "configMap": {"name": f"{self.name}-program"}})
            container["command"] = ["/usr/bin/python3", "-P", "/program/main.py"]
        return {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 45,
            "securityContext": RESTRICTED,
            "containers": [container],
            "volumes": volumes,
        }


#: Starts a consumer of a test's own.
Consume = Callable[..., Consumer]


def _status(pod: Object) -> Object:
    address = pod["status"].get("podIP", "")
    states = pod["status"].get("containerStatuses") or [{}]
    if not address or not states[0].get("ready"):
        return {}
    try:
        status, content = request(address, "GET", "/status")
    except (OSError, AssertionError):
        return {}
    found: Object = json.loads(content) if status == 200 else {}
    return found
