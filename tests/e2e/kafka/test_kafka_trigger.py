"""KafkaTriggers through the product: objects applied with kubectl, records that reach functions, and status."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, PODS
from support import kafka_desk, objects
from support.calls import address, call
from support.functions import manifest
from support.kafka_desk import Desk, Record, new_topic
from support.objects import SECRETS
from support.secured_kafka import SECURITY, Secured
from support.waiting import wait_for

Object = dict[str, Any]
Run = Callable[..., Any]
BOOTSTRAP = "kafka.kubeless:9092"
# Keeps what records brought; a GET gives it back.
KEEPER = """
kept = []

def handler(event, context):
    request = event['extensions']['request']
    if request.method == 'GET':
        return kept
    kept.append([event['event-id'], request.get_data().decode()])
    return 'kept'
"""


@pytest.fixture(scope="module")
def product(client: Client, kafka: Any) -> Desk:
    """A desk at the chart's own broker."""
    settings = {"bootstrap.servers": BOOTSTRAP}
    return kafka_desk.start(client, kafka.namespace, settings, name="product-desk")


def function(namespace: str, name: str = "hello", **spec: Any) -> Object:
    return manifest(namespace, name, function=KEEPER, **spec)


def trigger(namespace: str, topic: str, name: str = "orders", **spec: Any) -> Object:
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "KafkaTrigger",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "topic": topic,
            "functionSelector": {"matchLabels": {"created-by": "kubeless", "function": "hello"}},
            "startOffset": "earliest",
            **spec,
        },
    }


class World:
    """What a test applies and looks at, in its namespace."""

    def __init__(self, client: Client, namespace: str, kubectl: Run) -> None:
        self.client = client
        self.namespace = namespace
        self.kubectl = kubectl

    def apply(self, *manifests: Object) -> None:
        self.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(manifests))

    def status(self, name: str = "orders") -> Object:
        found = objects.find(self.client, KAFKA_TRIGGERS, self.namespace, name) or {}
        status: Object = found.get("status") or {}
        return status

    def condition(self, wanted: str, kind: str = "Ready", name: str = "orders") -> Object:
        """Wait until a condition has this status or reason."""

        def look() -> Object | None:
            for entry in self.status(name).get("conditions", []):
                if entry["type"] == kind and wanted in (entry["status"], entry["reason"]):
                    found: Object = entry
                    return found
            return None

        try:
            return wait_for(look, f"{kind} of {name} is {wanted}", 120, pause=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{yaml.safe_dump(self.status(name))}") from None

    def kept(self, name: str = "hello") -> list[list[str]]:
        if not self.serves(name):
            return []
        status, content = call(address(self.client, self.namespace, name))
        found: list[list[str]] = json.loads(content) if status == 200 else []
        return found

    def serves(self, name: str) -> bool:
        """Say whether the function is there and ready."""
        found = objects.find(self.client, FUNCTIONS, self.namespace, name) or {}
        conditions = (found.get("status") or {}).get("conditions", [])
        return any((entry["type"], entry["status"]) == ("Ready", "True") for entry in conditions)

    def refresh(self) -> None:
        """Have the kubelet look at the consumers' Secrets now, which it does in its own time, within a minute or two."""
        labels = "kubeless.io/trigger=kafka"
        for pod in self.client.list(PODS, self.namespace, labels=labels)["items"]:
            note = {"metadata": {"annotations": {"test": "secret"}}}
            self.client.patch(PODS, self.namespace, pod["metadata"]["name"], note)

    def wait_for_kept(self, count: int, name: str = "hello") -> list[list[str]]:
        return wait_for(
            lambda: found if len(found := self.kept(name)) >= count else None,
            f"{name} got {count} records",
            90,
            pause=0.2,
        )


@pytest.fixture
def world(client: Client, namespace: str, kubectl: Run) -> World:
    return World(client, namespace, kubectl)


def test_a_record_reaches_the_function_and_status_tells(world: World, product: Desk) -> None:
    topic = new_topic()
    product.create(topic, 3)
    world.apply(function(world.namespace), trigger(world.namespace, topic))
    world.condition("True")
    sent = product.send(topic, *(Record(b"%d" % n, b"k%d" % n) for n in range(9)))
    kept = world.wait_for_kept(9)
    assert sorted(event for event, _ in kept) == sorted(f"{topic}/{p}/{o}" for p, o in sent)
    wait_for(lambda: world.status().get("lag") == 0, "nothing is left", 30)
    status = world.status()
    assert status["functions"] == ["hello"]
    assert status["functionsMatched"] == 1
    assert (status["partitions"], status["assignedPartitions"]) == (3, 3)
    assert status["startOffset"] == "earliest"
    assert status["deadLetterTopic"] == f"{topic}.dlq"
    assert f"{world.namespace}_orders_hello_{topic}" in product.groups()
    table = world.kubectl("get", "kt", "-n", world.namespace).stdout
    assert topic in table

    # Functions that come later get what there is, too, and no pod is started anew for them.
    pods = world.client.list(PODS, world.namespace, labels="kubeless.io/trigger=kafka")["items"]
    selector = {"matchLabels": {"created-by": "kubeless"}}
    world.apply(
        function(world.namespace, "later"),
        trigger(world.namespace, topic, functionSelector=selector),
    )
    assert len(world.wait_for_kept(9, "later")) == 9
    after = world.client.list(PODS, world.namespace, labels="kubeless.io/trigger=kafka")["items"]
    assert [pod["metadata"]["name"] for pod in after] == [pod["metadata"]["name"] for pod in pods]
    wait_for(lambda: world.status()["functions"] == ["hello", "later"], "both are named", 30)


def test_a_function_of_the_type_pubsub(world: World, product: Desk) -> None:
    topic = new_topic()
    product.create(topic)
    world.apply(function(world.namespace, type="PubSub", topic=topic))

    def made() -> list[Object]:
        found: list[Object] = world.client.list(KAFKA_TRIGGERS, world.namespace)["items"]
        return found

    (one,) = wait_for(made, "its trigger is made")
    name = one["metadata"]["name"]
    assert one["spec"]["topic"] == topic
    world.condition("True", name=name)
    product.send(topic, Record(b"one", b"k"))
    assert world.wait_for_kept(1)[0][1] == "one"
    world.client.delete(FUNCTIONS, world.namespace, "hello")
    wait_for(lambda: not made(), "the trigger goes with the function")


def test_a_topic_that_is_made_after_the_trigger(world: World, product: Desk) -> None:
    topic = new_topic()
    world.apply(function(world.namespace), trigger(world.namespace, topic, startOffset="latest"))
    assert topic in world.condition("TopicNotFound")["message"]
    assert world.status()["topicMissing"] is True
    product.create(topic)
    product.send(topic, Record(b"early", b"k"))
    assert world.wait_for_kept(1)[0][1] == "early"
    world.condition("True")
    assert world.status()["startOffset"] == "earliest"


def test_more_consumers_than_partitions_are_told(world: World, product: Desk) -> None:
    topic = new_topic()
    product.create(topic, 2)
    world.apply(function(world.namespace), trigger(world.namespace, topic))
    world.condition("True")
    world.kubectl("scale", "kt", "orders", "--replicas=3", "-n", world.namespace)

    def told() -> bool:
        message = world.condition("True")["message"]
        return "3 consumers" in message and "1 has nothing to do" in message

    wait_for(told, "status says that one is too many", 60, pause=0.2)
    status = world.status()
    assert (status["replicas"], status["assignedPartitions"]) == (3, 2)
    selected = world.client.list(PODS, world.namespace, labels=status["selector"])["items"]
    assert len(selected) == 3
    world.kubectl("scale", "kt", "orders", "--replicas=1", "-n", world.namespace)
    wait_for(lambda: world.status().get("replicas") == 1, "one is left", 60, pause=0.2)
    product.send(topic, *(Record(b"x", b"k%d" % n) for n in range(8)))
    assert len(world.wait_for_kept(8)) == 8


def test_a_function_is_deleted_while_records_wait_and_comes_back(
    world: World, product: Desk
) -> None:
    topic = new_topic()
    product.create(topic)
    world.apply(function(world.namespace), trigger(world.namespace, topic))
    world.condition("True")
    product.send(topic, Record(b"before", b"k"))
    world.wait_for_kept(1)
    group = f"{world.namespace}_orders_hello_{topic}"
    wait_for(lambda: product.lag(group, topic) == 0, "it is committed")
    world.client.delete(FUNCTIONS, world.namespace, "hello")
    world.condition("NoFunctions")
    # Its pod still serves while it drains: what comes meanwhile would be done.
    pods = "created-by=kubeless,function=hello"
    wait_for(
        lambda: not world.client.list(PODS, world.namespace, labels=pods)["items"],
        "the function is gone",
        60,
    )
    product.send(topic, *(Record(b"waits", b"k") for _ in range(5)))
    world.apply(function(world.namespace))
    kept = world.wait_for_kept(5)
    assert [event for event, _ in kept] == [f"{topic}/0/{offset}" for offset in range(1, 6)]
    world.condition("True")


def test_a_deleted_trigger_leaves_nothing(world: World, product: Desk) -> None:
    topic = new_topic()
    product.create(topic)
    world.apply(function(world.namespace), trigger(world.namespace, topic))
    world.condition("True")
    world.kubectl("delete", "kt", "orders", "-n", world.namespace)
    for resource in (DEPLOYMENTS, CONFIGMAPS):
        wait_for(
            lambda kind=resource: objects.gone(world.client, kind, world.namespace, "orders-kafka"),
            f"its {resource.kind} is gone",
            60,
        )


def test_a_missing_secret_is_named(world: World, product: Desk) -> None:
    topic = new_topic()
    product.create(topic)
    auth = {"secretRef": {"name": "no-such-secret"}, "mechanism": "SCRAM-SHA-512"}
    world.apply(function(world.namespace), trigger(world.namespace, topic, auth=auth))
    assert "no-such-secret" in world.condition("SecretMissing")["message"]


def test_a_kafka_of_somebody_else_with_password_and_certificate(
    world: World, secured: Secured
) -> None:
    topic = new_topic()
    secured.desk.create(topic)
    secured.desk.send(topic, Record(b"secret", b"k"))
    give(world, "broker-user", {**secured.auth, "password": "wr0ng-for-this-broker"})
    give(world, "broker-ca", {"ca.crt": secured.ca})
    world.apply(
        function(world.namespace),
        trigger(
            world.namespace,
            topic,
            bootstrapServers=secured.brokers.bootstrap,
            auth={"secretRef": {"name": "broker-user"}, "mechanism": SECURITY["mechanism"]},
            tls={"enabled": True, "secretRef": {"name": "broker-ca"}},
        ),
    )
    assert "broker-user" in world.condition("AuthenticationFailed")["message"]
    give(world, "broker-user", secured.auth)
    world.refresh()
    assert world.wait_for_kept(1)[0][1] == "secret"
    world.condition("True")
    said = world.kubectl("get", "kt,deployments,configmaps,events", "-n", world.namespace, "-oyaml")
    assert secured.auth["password"] not in said.stdout


def give(world: World, name: str, data: dict[str, str]) -> None:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    world.client.apply(
        SECRETS,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": world.namespace},
            "data": encoded,
        },
        manager="user",
    )
