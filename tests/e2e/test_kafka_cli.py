"""Topics, records, users and dead letters by the command line, with a Kafka in pods that asks for passwords.

Each command makes a pod in the cluster, talks to it through the API server, and deletes it.
"""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES, PODS, SECRETS
from support.control_plane import ROOT
from support.kafka import Kafka, kafka_up
from support.waiting import wait_for

Object = dict[str, Any]
Run = Callable[..., subprocess.CompletedProcess[str]]

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="module")
def kafka(cluster: dict[str, str], client: Client) -> Iterator[Kafka]:
    """A Kafka that asks for passwords, and beside it what an installation says of it."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})
    try:
        with kafka_up(cluster, name, {"auth.enabled": True}) as found:
            client.create(CONFIGMAPS, configuration(found))
            yield found
    finally:
        client.delete(NAMESPACES, None, name)


def configuration(kafka: Kafka) -> Object:
    built = yaml.safe_load((ROOT / "build/images.yaml").read_text())["images"]
    settings = {
        "bootstrapServers": kafka.bootstrap,
        "mechanism": "SCRAM-SHA-512",
        "adminAuthSecret": "kafka-admin",
        "namespace": kafka.namespace,
        "consumerImage": f"{built['registry']}/kafka-trigger:{built['tags']['kafka-trigger']}",
        "imagePullPolicy": "IfNotPresent",
    }
    labels = {"app.kubernetes.io/name": "kubeless", "app.kubernetes.io/component": "controller"}
    return {
        "metadata": {"name": "configuration", "namespace": kafka.namespace, "labels": labels},
        "data": {"config.json": json.dumps({"runtimes": [], "kafka": settings})},
    }


@pytest.fixture
def run(kubeless: Run, kafka: Kafka) -> Run:
    """Run the command line for that Kafka."""

    def command(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        # Never what the tests themselves have there.
        given = options if "input" in options else {"stdin": subprocess.DEVNULL, **options}
        return kubeless(*arguments, "--kafka-namespace", kafka.namespace, **given)

    return command


@pytest.fixture
def topic(kafka: Kafka) -> str:
    """A topic of the test's own, with three partitions."""
    name = f"topic-{uuid.uuid4().hex[:8]}"
    kafka.create_topic(name, 3)
    return name


def no_pods_are_left(client: Client, kafka: Kafka) -> None:
    wait_for(
        lambda: not client.list(PODS, kafka.namespace, labels="kubeless.io/admin=true")["items"],
        "the commands' pods are gone",
        30,
    )


def test_topics(run: Run, client: Client, kafka: Kafka) -> None:
    done = run("topic", "create", "made", "--partitions", "3", "--config", "retention.ms=60000")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Topic made created\n")
    listed = run("topic", "list").stdout.splitlines()
    assert "made" in listed
    assert not [name for name in listed if name.startswith("__")]
    shown = json.loads(run("topic", "ls", "-o", "json").stdout)
    assert {"name": "made", "partitions": 3, "replicationFactor": 1} in shown

    wrong = {
        ("create", "made"): "Topic 'made' exists already.",
        ("create", "other", "--replication-factor", "3"): "each broker has at most one",
        ("create", "other", "--config", "nope=1"): "Unknown topic config name: nope",
        ("delete", "nope"): "There is no topic 'nope'.",
    }
    for arguments, message in wrong.items():
        done = run("topic", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr
    assert run("topic", "create", "a b").returncode == 2

    done = run("topic", "delete", "made", "nope", "--ignore-not-found")
    assert (done.returncode, done.stderr) == (0, "Topic made deleted\n")
    assert "made" not in run("topic", "list").stdout.splitlines()
    no_pods_are_left(client, kafka)


def test_one_record_by_flag_file_and_input(
    run: Run, kafka: Kafka, topic: str, tmp_path: Path
) -> None:
    done = run("topic", "publish", "--topic", topic, "--data", "one", "--key", "k", "-H", "a:1")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"Record published to topic {topic}: partition" in done.stderr
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 4096)
    assert run("topic", "publish", "--topic", topic, "-f", large).returncode == 0
    assert run("topic", "publish", "--topic", topic, input="from input").returncode == 0
    assert run("topic", "publish", "--topic", topic, "--null", "--key", "k").returncode == 0

    found = {message.value(): message for message in kafka.consume(topic, 4)}
    assert set(found) == {b"one", large.read_bytes(), b"from input", None}
    assert (found[b"one"].key(), found[b"one"].headers()) == (b"k", [("a", b"1")])
    assert found[None].partition() == found[b"one"].partition()
    assert found[b"from input"].key() is None


def test_lines_are_records(run: Run, kafka: Kafka, topic: str) -> None:
    text = "".join(f"{number % 8}:{number}\n" for number in range(5000))
    flags = ["--topic", topic, "--lines", "--key-separator", ":"]
    done = run("topic", "publish", *flags, input=text)
    assert (done.returncode, done.stderr) == (0, f"5000 records published to topic {topic}\n")
    by_key: dict[bytes | None, list[int]] = {}
    for message in kafka.consume(topic, 5000):
        by_key.setdefault(message.key(), []).append(int(message.value() or b""))
    assert by_key == {str(key).encode(): list(range(key, 5000, 8)) for key in range(8)}

    done = run("topic", "publish", "--topic", topic, "--lines", "-o", "json", input="a\nb\n")
    assert [place["topic"] for place in json.loads(done.stdout)] == [topic, topic]


def test_what_cannot_be_published_is_said(run: Run, topic: str, tmp_path: Path) -> None:
    done = run("topic", "publish", "--topic", "nope", "--data", "x")
    assert done.returncode == 1
    assert "There is no topic 'nope'" in done.stderr
    lines = tmp_path / "lines"
    lines.write_bytes(b"small\n" + b"x" * 20_000_000 + b"\n")
    done = run("topic", "publish", "--topic", topic, "--lines", "-f", lines)
    assert done.returncode == 1
    assert "Record 2 is larger than the topic takes" in done.stderr
    assert "1 record before it was published" in done.stderr


def test_an_interrupt_leaves_no_pod(
    cluster: dict[str, str], client: Client, kafka: Kafka, topic: str
) -> None:
    # A pod of the command before may still run while it is deleted: it is not the one to wait for.
    no_pods_are_left(client, kafka)
    command = [Path(sys.executable).parent / "kubeless", "topic", "publish", "--topic", topic]
    process = subprocess.Popen(
        [*command, "--lines", "--kafka-namespace", kafka.namespace],
        env=cluster,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def running() -> bool:
        pods = client.list(PODS, kafka.namespace, labels="kubeless.io/admin=true")["items"]
        return any(pod["status"].get("phase") == "Running" for pod in pods)

    wait_for(running, "the pod runs", 60)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    no_pods_are_left(client, kafka)


def test_a_user_has_a_secret_and_only_that_password(
    run: Run, client: Client, kafka: Kafka, namespace: str
) -> None:
    def log_in() -> None:
        held = client.get(SECRETS, namespace, "kafka-shop")["data"]
        login = {key: base64.b64decode(held[key]).decode() for key in ("username", "password")}
        settings = {f"sasl.{key}": value for key, value in login.items()}
        AdminClient(kafka.settings(**settings)).list_topics(timeout=10)
        passwords.append(login["password"])

    passwords: list[str] = []
    done = run("kafka", "user", "create", "shop", "-n", namespace)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "--auth-secret kafka-shop" in done.stderr
    said = done.stderr
    log_in()
    assert "shop" in [
        user["name"] for user in json.loads(run("kafka", "user", "ls", "-o", "json").stdout)
    ]

    done = run("kafka", "user", "create", "shop", "-n", namespace, "--secret", "other")
    assert done.returncode == 1
    assert "User 'shop' exists already" in done.stderr
    assert run("kafka", "user", "create", "shop", "-n", namespace, "--new-password").returncode == 0
    log_in()
    assert len(set(passwords)) == 2
    assert not [password for password in passwords if password in said]

    done = run("kafka", "user", "delete", "admin")
    assert done.returncode == 1
    assert "is the administrator that this command itself logs in as" in done.stderr
    assert run("kafka", "user", "delete", "shop").returncode == 0
    with pytest.raises(KafkaException):
        log_in()


def test_dead_letters_are_listed_shown_and_sent_again_once(
    run: Run, kubeless: Run, client: Client, kafka: Kafka, namespace: str, topic: str
) -> None:
    assert (
        run("kafka", "user", "create", namespace, "-n", namespace, "--secret", "login").returncode
        == 0
    )
    letters = f"{topic}.dlq"
    trigger = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "KafkaTrigger",
        "metadata": {"name": "orders", "namespace": namespace},
        "spec": {
            "topic": topic,
            "functionSelector": {"matchLabels": {"function": "none"}},
            "bootstrapServers": kafka.bootstrap,
            "auth": {"secretRef": {"name": "login"}, "mechanism": "SCRAM-SHA-512"},
        },
    }
    client.create(KAFKA_TRIGGER.resource, trigger)
    wait_for(
        lambda: client.list(DEPLOYMENTS, namespace, labels="kubeless.io/trigger=kafka")["items"],
        "the trigger has consumers",
        60,
    )

    def dlq(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        where = ["trigger", "kafka", "dlq", command, "orders", "-n", namespace]
        return kubeless(*where, *arguments)

    # Consumers make the topic with the first dead letter.
    assert f"0 dead letters in topic {letters}" in dlq("list").stderr
    assert "is made with the first one" in dlq("show", "0/0").stderr
    kafka.create_topic(letters, 2)
    for number, status in enumerate(("500", "404", "500")):
        error = ["topic", topic, "partition", "1", "offset", str(number), "status", status]
        pairs = zip(error[::2], error[1::2], strict=True)
        headers = [part for name, value in pairs for part in ("-H", f"kubeless-dlq-{name}:{value}")]
        flags = ["--data", f"value {number}", "--key", "k", "-H", "trace:t", *headers]
        assert run("topic", "publish", "--topic", letters, *flags).returncode == 0

    listed = dlq("list")
    assert f"3 dead letters in topic {letters}" in listed.stderr, listed.stderr
    rows = [line.split() for line in listed.stdout.splitlines()[1:]]
    assert [row[3] for row in rows] == [f"{topic}/1/{number}" for number in range(3)]
    second = rows[1][0]
    assert dlq("show", second, "--value").stdout == "value 1"
    page = dlq("show", second).stdout
    assert "404" in page
    assert "trace:" in page
    gone = dlq("show", "0/99")
    assert gone.returncode == 1
    assert "There is no record 0/99" in gone.stderr

    dry = dlq("redrive", "--error", "404", "--dry-run")
    assert dry.stdout == f"{second} -> {topic}\n"
    assert dlq("redrive", second).returncode == 0
    assert "had been before" in dlq("redrive", second).stderr
    assert f"2 dead letters sent again: 2 to {topic}" in dlq("redrive").stderr
    assert "No dead letter" in dlq("redrive").stderr
    found = kafka.consume(topic, 3)
    time.sleep(1)
    assert len(kafka.consume(topic, 3)) == 3
    assert sorted(message.value() or b"" for message in found) == [
        b"value 0",
        b"value 1",
        b"value 2",
    ]
    assert {(message.partition(), message.key()) for message in found} == {(1, b"k")}
    assert all(message.headers() == [("trace", b"t")] for message in found)

    assert dlq("redrive", "--to", letters).returncode == 1
    again = dlq("redrive", "--from-beginning", "--to", topic)
    assert f"3 dead letters sent again: 3 to {topic}" in again.stderr
