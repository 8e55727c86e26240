"""One broker in a pod, a desk to it, and a function, for all tests of this folder; topics are each test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import NAMESPACES
from support import kafka_desk, kafka_function
from support.kafka_brokers import Brokers, brokers_in
from support.kafka_consumer import Consume, Consumer, configuration, function_entry
from support.kafka_desk import Desk, new_topic
from support.kafka_function import Function
from support.secured_kafka import Secured, secured_kafka

Object = dict[str, Any]
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="session")
def kafka(cluster: dict[str, str], client: Client) -> Iterator[Brokers]:
    """One broker that takes everybody, in a namespace in which the tests' pods are, too."""
    name = f"kafka-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})
    try:
        yield brokers_in(client, cluster, name, replicas=1)
    finally:
        client.delete(NAMESPACES, None, name)


@pytest.fixture(scope="session")
def desk(client: Client, kafka: Brokers) -> Desk:
    return kafka_desk.start(client, kafka.namespace, {"bootstrap.servers": kafka.bootstrap})


@pytest.fixture(scope="session")
def secured(cluster: dict[str, str], client: Client) -> Iterator[Secured]:
    """Another one, that asks for a password and shows a certificate."""
    with secured_kafka(cluster, client) as found:
        yield found


@pytest.fixture(scope="session")
def shared_function(client: Client, kafka: Brokers) -> Function:
    return kafka_function.start(client, kafka.namespace)


@pytest.fixture
def function(shared_function: Function) -> Function:
    """A function that has seen nothing and answers 200."""
    shared_function.reset()
    return shared_function


@pytest.fixture
def topic(desk: Desk) -> str:
    """A topic of the test's own with one partition."""
    name = new_topic()
    desk.create(name)
    return name


@pytest.fixture
def consume(client: Client, kafka: Brokers, function: Function) -> Iterator[Consume]:
    """Start a consumer: ``consume(topic, **configuration)``; ``entry`` changes the function's part of it."""
    started: list[Consumer] = []

    def start(
        topic: str,
        *,
        replicas: int = 1,
        program: str = "",
        entry: Object | None = None,
        **config: Any,
    ) -> Consumer:
        entries = [function_entry("function", function.url, topic, **(entry or {}))]
        made = Consumer(
            client,
            kafka.namespace,
            f"consumer-{uuid.uuid4().hex[:8]}",
            configuration(kafka.bootstrap, topic, entries, **config),
            program=program,
        )
        started.append(made)
        made.start(replicas)
        return made

    yield start
    for consumer in started:
        # Shown with a failure.
        print(consumer.statuses(), consumer.log(), sep="\n")
        consumer.leave()
