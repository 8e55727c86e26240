"""A Kafka in the local cluster, installed from charts/kafka, and a client of it on this host."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from kubeless_kube.client import Client
from kubeless_kube.resources import PODS
from support.control_plane import ROOT, programs
from support.objects import SECRETS

CHART = ROOT / "charts/kafka"
IMAGES = ROOT / "build/images.yaml"
POD_PORT = 9095
# A question is a process in the pod, which takes a tenth of a second: of brokers of which no test asks whether they serve.
SELDOM_ASKED = {"livenessProbe.periodSeconds": 120, "readinessProbe.periodSeconds": 20}

Object = dict[str, Any]


@dataclass(frozen=True)
class Kafka:
    """One installation. `bootstrap` is for pods; `options` are a client's on this host, by librdkafka's names."""

    namespace: str
    environment: Mapping[str, str] = field(repr=False)
    client: Client = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def bootstrap(self) -> str:
        """The address by which pods reach it."""
        return f"kafka.{self.namespace}:9092"

    @property
    def host_bootstrap(self) -> str:
        """The addresses by which this host reaches it, as they are now: pods that start again get others."""
        pods = self.pods()
        return ",".join(f"{ip}:{POD_PORT}" for pod in pods if (ip := pod["status"].get("podIP")))

    def pods(self) -> list[Object]:
        """The nodes' pods."""
        listed = self.client.list(PODS, self.namespace, labels="app.kubernetes.io/component=broker")
        found: list[Object] = listed["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def settings(self, **more: Any) -> Object:
        """A client's configuration on this host."""
        return {"bootstrap.servers": self.host_bootstrap, "log_level": 2, **self.options, **more}

    def admin(self) -> AdminClient:
        """An administrator on this host."""
        return AdminClient(self.settings())

    def create_topic(self, name: str, partitions: int = 1, **config: str) -> None:
        """Make a topic, with as many replicas as there are nodes."""
        topic = NewTopic(name, partitions, len(self.pods()), config=config)
        # Kept in a variable: with an administrator that is let go, his requests end.
        admin = self.admin()
        for future in admin.create_topics([topic], operation_timeout=30).values():
            future.result()

    def produce(
        self, topic: str, records: list[tuple[bytes | None, bytes | None]], **more: Any
    ) -> None:
        """Write (key, value) records, and see all of them acknowledged by all replicas."""
        producer = Producer(self.settings(**{"acks": "all", "enable.idempotence": True, **more}))
        failed: list[str] = []

        def delivered(error: Any, _: Message) -> None:
            if error is not None:
                failed.append(str(error))

        for key, value in records:
            while True:
                try:
                    producer.produce(topic, key=key, value=value, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(60)
        assert not left, f"{left} records were not acknowledged within a minute"
        assert not failed, failed[:3]

    def consume(self, topic: str, count: int, seconds: float = 60) -> list[Message]:
        """The first records of a topic, at least so many; fails when they do not come."""
        consumer = Consumer(
            self.settings(
                **{
                    "group.id": f"test-{time.monotonic_ns()}",
                    "auto.offset.reset": "earliest",
                    "enable.auto.commit": False,
                }
            )
        )
        found: list[Message] = []
        deadline = time.monotonic() + seconds
        try:
            consumer.subscribe([topic])
            while len(found) < count and time.monotonic() < deadline:
                for message in consumer.consume(500, timeout=0.5):
                    if message.error() is None:
                        found.append(message)
        finally:
            consumer.close()
        assert len(found) >= count, f"found {len(found)} records in {topic}, expected {count}"
        return found


@contextmanager
def kafka_up(
    environment: Mapping[str, str], namespace: str, values: Mapping[str, Any] | None = None
) -> Iterator[Kafka]:
    """Kafka in a namespace that exists, from this clone's image; in the end it is uninstalled."""
    try:
        yield install(environment, namespace, values)
    finally:
        helm(environment, namespace, "uninstall", "kafka", "--ignore-not-found")


def install(
    environment: Mapping[str, str], namespace: str, values: Mapping[str, Any] | None = None
) -> Kafka:
    """Install the chart, or upgrade it, wait until it is ready, and say how to reach it."""
    built = yaml.safe_load(IMAGES.read_text())["kafka"]
    chosen: Object = {
        "podListener.enabled": True,
        "podListener.port": POD_PORT,
        "persistence.enabled": False,
        **({} if (values or {}).get("replicas", 1) > 1 else SELDOM_ASKED),
        **(values or {}),
    }
    options = [f"--set-json={key}={json.dumps(value)}" for key, value in chosen.items()]
    done = helm(
        environment, namespace, "upgrade", "--install", "kafka", str(CHART), "--wait",
        "--timeout", "4m", "--values", "-", *options, text=json.dumps(built),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    client = Client.from_kubeconfig(environment["KUBECONFIG"])
    return Kafka(namespace, environment, client, client_options(client, namespace, chosen))


def client_options(client: Client, namespace: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What an administrator's client on this host needs beside addresses."""
    auth, tls = values.get("auth.enabled"), values.get("tls.enabled")
    found: dict[str, str] = {}
    if auth or tls:
        protocol = ("SASL_" if auth else "") + ("SSL" if tls else "PLAINTEXT")
        found["security.protocol"] = protocol
    if auth:
        name = values.get("auth.existingSecret") or "kafka-admin"
        user = secret(client, namespace, name)
        found |= {"sasl.mechanism": "SCRAM-SHA-512"}
        found |= {"sasl.username": user["username"], "sasl.password": user["password"]}
    if tls:
        found["ssl.ca.pem"] = secret(client, namespace, "kafka-ca")["ca.crt"]
        # Certificates name the nodes, not the addresses by which this host reaches them.
        found["ssl.endpoint.identification.algorithm"] = "none"
    return found


def secret(client: Client, namespace: str, name: str) -> dict[str, str]:
    """What a Secret holds."""
    data = client.get(SECRETS, namespace, name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def helm(
    environment: Mapping[str, str], namespace: str, *arguments: str, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run helm in a namespace."""
    return subprocess.run(
        [programs() / "helm", *arguments, "--namespace", namespace],
        env=dict(environment),
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
