"""Kafka from charts/kafka in pods: what it keeps, whom it lets in, and that it goes on while it is restarted."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from kubeless_kube.client import Client
from kubeless_kube.resources import NAMESPACES, PODS, Resource
from support import certificates, kafka
from support.objects import SECRETS
from support.pod_kill import container_pids
from support.waiting import wait_for

Object = dict[str, Any]
VOLUMES = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
SECURE = {"replicas": 3, "auth.enabled": True, "tls.enabled": True}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def volume(client: Client, tmp_path: Path) -> Iterator[str]:
    """The name of a storage class that has one volume, a folder of this host."""
    name = f"kafka-{uuid.uuid4().hex[:8]}"
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": name,
        "hostPath": {"path": str(folder)},
    }
    client.create(VOLUMES, {"metadata": {"name": name}, "spec": spec})
    yield name
    client.delete(VOLUMES, None, name)


@pytest.fixture(scope="module")
def secure(cluster: dict[str, str], client: Client) -> Iterator[kafka.Kafka]:
    """Three nodes with passwords and TLS, in a namespace in which only hardened pods may run."""
    name = f"e2e-kafka-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})
    with kafka.kafka_up(cluster, name, SECURE) as found:
        found.create_topic("orders", 3)
        yield found
    client.delete(NAMESPACES, None, name)


def ready(client: Client, namespace: str, replicas: int) -> bool:
    """Say whether all nodes run what the StatefulSet says now."""
    found = client.get(STATEFUL_SETS, namespace, "kafka")
    status = found["status"]
    return bool(
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas", replicas) == replicas
        and status.get("currentRevision") == status.get("updateRevision")
        and status.get("readyReplicas") == replicas
    )


def refused(options: Object) -> str:
    """Why a client with these options gets no answer."""
    said: list[str] = []
    client = Producer({**options, "error_cb": lambda error: said.append(str(error))})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=5)
    client.poll(1)
    return " ".join(said)


def test_records_outlive_the_pod(
    cluster: dict[str, str], client: Client, namespace: str, volume: str
) -> None:
    values = {
        "persistence.enabled": True,
        "persistence.size": "1Gi",
        "persistence.storageClassName": volume,
    }
    with kafka.kafka_up(cluster, namespace, values) as found:
        found.create_topic("orders", 2)
        found.produce("orders", [(b"%d" % i, b"first") for i in range(100)])
        (before,) = found.pods()
        client.delete(PODS, namespace, "kafka-0")
        wait_for(
            lambda: (
                [pod["metadata"]["uid"] for pod in found.pods()] != [before["metadata"]["uid"]]
                and ready(client, namespace, 1)
            ),
            "another pod is ready",
            120,
        )
        assert len(found.consume("orders", 100)) == 100
        # The number of nodes is written to their disks.
        done = kafka.helm(
            cluster, namespace, "upgrade", "kafka", str(kafka.CHART), "--reuse-values", "--set", "replicas=3"
        )  # fmt: skip
        assert done.returncode != 0
        assert "found 3, but kafka was installed with 1" in done.stderr


def test_who_knows_the_password_and_the_authority_is_let_in(secure: kafka.Kafka) -> None:
    secure.produce("orders", [(b"key", b"value")])
    assert secure.consume("orders", 1)[0].value() == b"value"


@pytest.mark.parametrize("change", [{"sasl.password": "wr0ng"}, {"sasl.username": "nobody"}])
def test_who_does_not_know_a_user_is_refused(secure: kafka.Kafka, change: Object) -> None:
    assert "Authentication failed" in refused(secure.settings(**change))


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT"])
def test_who_leaves_out_tls_or_the_password_gets_no_answer(
    secure: kafka.Kafka, protocol: str
) -> None:
    refused(secure.settings(**{"security.protocol": protocol}))


def test_clients_notice_another_authority(secure: kafka.Kafka, tmp_path: Path) -> None:
    other = certificates.issue(tmp_path, "kafka")["ca.crt"]
    assert "certificate verify failed" in refused(secure.settings(**{"ssl.ca.pem": other}))


def test_users_that_are_added_may_use_topics_but_not_change_users(secure: kafka.Kafka) -> None:
    def give(admin: AdminClient, user: str) -> None:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(user, info, b"secret-of-the-user")
        for future in admin.alter_user_scram_credentials([change]).values():
            future.result()

    admin = secure.admin()
    give(admin, "app")
    user = {"sasl.username": "app", "sasl.password": "secret-of-the-user"}

    def write() -> bool:
        """Users reach all nodes one after another."""
        try:
            secure.produce("orders", [(b"key", b"of app")], **{**user, "message.timeout.ms": 3000})
        except AssertionError:
            return False
        return True

    wait_for(write, "the user can write", 30)
    as_user = AdminClient(secure.settings(**user))
    with pytest.raises(KafkaException) as failed:
        give(as_user, secure.options["sasl.username"])
    assert failed.value.args[0].name() == "CLUSTER_AUTHORIZATION_FAILED"


def test_an_upgrade_keeps_secrets_and_takes_over_a_changed_password(
    secure: kafka.Kafka, client: Client, cluster: dict[str, str]
) -> None:
    names = ("kafka-admin", "kafka-internal", "kafka-tls", "kafka-ca")
    before = {name: kafka.secret(client, secure.namespace, name) for name in names}
    password = base64.b64encode(b"changed-by-hand").decode()
    client.patch(SECRETS, secure.namespace, "kafka-admin", {"data": {"password": password}})
    again = kafka.install(cluster, secure.namespace, SECURE)
    after = {name: kafka.secret(client, secure.namespace, name) for name in names}
    assert after.pop("kafka-admin")["password"] == "changed-by-hand"
    old = before.pop("kafka-admin")
    assert after == before

    def let_in(options: Object) -> bool:
        try:
            return bool(AdminClient(options).list_topics(timeout=5).topics)
        except KafkaException:
            return False

    wait_for(lambda: let_in(again.settings()), "the new password is taken", 30)
    wait_for(
        lambda: not let_in(again.settings(**{"sasl.password": old["password"]})), "not the old"
    )
    # The tests that follow log in by the password of the installation.
    data = {"password": base64.b64encode(old["password"].encode()).decode()}
    client.patch(SECRETS, secure.namespace, "kafka-admin", {"data": data})
    kafka.install(cluster, secure.namespace, SECURE)
    wait_for(lambda: let_in(secure.settings()), "the first password is taken again", 30)
    # Nodes that speak otherwise than the others would never join them.
    done = kafka.helm(
        cluster, secure.namespace, "upgrade", "kafka", str(kafka.CHART), "--reuse-values", "--set", "auth.enabled=false"
    )  # fmt: skip
    assert done.returncode != 0
    assert "they cannot change while kafka has 3 nodes" in done.stderr


def test_no_secret_is_in_what_nodes_print_or_are_started_with(
    secure: kafka.Kafka, client: Client, kubectl: Callable[..., Any]
) -> None:
    secrets = [
        kafka.secret(client, secure.namespace, name)["password"]
        for name in ("kafka-admin", "kafka-internal")
    ]
    secrets.append(kafka.secret(client, secure.namespace, "kafka-tls")["tls.key"].split("\n")[1])
    logs = kubectl(
        "logs", "kafka-0", "-n", secure.namespace, "--all-containers", "--tail=-1"
    ).stdout
    assert "Kafka Server started" in logs
    seen = logs + json.dumps(client.get(PODS, secure.namespace, "kafka-0"))
    assert not [secret for secret in secrets if secret in seen]


def test_brokers_use_the_archive_of_classes_in_their_image(
    secure: kafka.Kafka, client: Client
) -> None:
    (pid,) = container_pids(client.get(PODS, secure.namespace, "kafka-0"))
    assert "/opt/kafka/kafka.jsa" in Path(f"/proc/{pid}/maps").read_text()


def test_a_rolling_restart_interrupts_nobody(
    secure: kafka.Kafka, client: Client, kubectl: Callable[..., Any]
) -> None:
    """A producer with acks=all goes on, and two replicas of everything are in sync all the time."""
    secure.create_topic("steady", 6)
    stop = threading.Event()
    acknowledged: list[float] = []
    failed: list[str] = []
    in_sync: list[int] = []

    def produce() -> None:
        producer = Producer(secure.settings(**{"acks": "all", "enable.idempotence": True}))

        def delivered(error: Any, message: Any) -> None:
            failed.append(str(error)) if error else acknowledged.append(time.monotonic())

        while not stop.wait(0.005):
            producer.produce("steady", b"x" * 100, on_delivery=delivered)
            producer.poll(0)
        producer.flush(60)

    def watch() -> None:
        admin = secure.admin()
        while not stop.wait(0.2):
            try:
                topic = admin.list_topics("steady", timeout=10).topics["steady"]
            except KafkaException:
                continue  # the node that was asked went away
            in_sync.extend(len(partition.isrs) for partition in topic.partitions.values())

    threads = [threading.Thread(target=produce), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(acknowledged) > 100, "records are acknowledged", 30)
        before = {pod["metadata"]["uid"] for pod in secure.pods()}
        kubectl("rollout", "restart", "statefulset/kafka", "-n", secure.namespace)
        wait_for(
            lambda: ready(client, secure.namespace, 3), "all nodes were restarted", 240, pause=1
        )
        assert not before & {pod["metadata"]["uid"] for pod in secure.pods()}
        time.sleep(2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    gap = max(after - at for at, after in itertools.pairwise(acknowledged))
    print(f"{len(acknowledged)} acknowledged, longest pause {gap:.1f} s")
    assert not failed
    assert min(in_sync) >= 2
    assert gap < 15
    assert len(secure.consume("steady", len(acknowledged), 120)) >= len(acknowledged)
