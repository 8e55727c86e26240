"""A Function that has a topic itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS
from support.kafka_consumers import Consumer, config_of
from support.objects import exists, gone
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

pytestmark = pytest.mark.usefixtures("controlled")


def condition_types(client: Client, namespace: str) -> set[str]:
    status = client.get(FUNCTIONS, namespace, "hello").get("status") or {}
    return {entry["type"] for entry in status.get("conditions", [])}


def test_it_has_a_trigger_of_its_name(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    consumer: Callable[..., Consumer],
) -> None:
    made = deploy(type="PubSub", topic="orders")
    condition("hello", "Subscribed", "Progressing")
    consumer("hello")
    told = condition("hello", "Subscribed", "Consuming")
    assert told["status"] == "True"
    assert "topic 'orders' for 1 function" in told["message"]
    trigger = client.get(KAFKA_TRIGGERS, namespace, "hello")
    assert trigger["spec"]["topic"] == "orders"
    assert trigger["spec"]["functionSelector"] == {
        "matchLabels": {"created-by": "kubeless", "function": "hello"}
    }
    (owner,) = trigger["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Function", made["metadata"]["uid"])
    deploy(type="PubSub", topic="news")
    wait_for(lambda: config_of(client, namespace, "hello")["topic"] == "news", "another topic")
    # What a user adds to it stays; a number of consumers above all, which an autoscaler may write.
    edit = {"spec": {"replicas": 3, "topic": "other"}}
    client.patch(KAFKA_TRIGGERS, namespace, "hello", edit, manager="somebody")
    wait_for(
        lambda: client.get(KAFKA_TRIGGERS, namespace, "hello")["spec"]["topic"] == "news",
        "the topic is the Function's again",
    )
    assert client.get(KAFKA_TRIGGERS, namespace, "hello")["spec"]["replicas"] == 3
    client.delete(KAFKA_TRIGGERS, namespace, "hello")
    wait_for(lambda: exists(client, KAFKA_TRIGGERS, namespace, "hello"), "it is made again")


def test_a_change_of_the_type(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(type="PubSub", topic="orders")
    condition("hello", "Subscribed")
    deploy(type="Scheduled", schedule="@hourly")
    condition("hello", "Scheduled", "Scheduled")
    wait_for(lambda: gone(client, KAFKA_TRIGGERS, namespace, "hello"), "the one of the topic goes")
    wait_for(lambda: "Subscribed" not in condition_types(client, namespace), "and its condition")
    deploy(type="PubSub", topic="orders")
    condition("hello", "Subscribed")
    wait_for(lambda: gone(client, CRONJOB_TRIGGERS, namespace, "hello"), "and back")
    deploy()
    wait_for(lambda: gone(client, KAFKA_TRIGGERS, namespace, "hello"), "without either, none")
    wait_for(lambda: gone(client, DEPLOYMENTS, namespace, "hello-kafka"), "and no consumers", 60)
    wait_for(lambda: "Subscribed" not in condition_types(client, namespace), "nor a condition")


def test_a_users_own_trigger_of_that_name_is_left_alone_and_the_function_runs(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    subscribe: Callable[..., Object],
) -> None:
    subscribe("hello", topic="mine")
    deploy(type="PubSub", topic="orders")
    told = condition("hello", "Subscribed", "Conflict")
    assert "a KafkaTrigger named 'hello' exists already" in told["message"]
    assert condition("hello", "Accepted")["status"] == "True"
    assert client.get(DEPLOYMENTS, namespace, "hello")
    assert client.get(KAFKA_TRIGGERS, namespace, "hello")["spec"]["topic"] == "mine"
    client.delete(KAFKA_TRIGGERS, namespace, "hello")
    wait_for(
        lambda: (
            exists(client, KAFKA_TRIGGERS, namespace, "hello")
            and client.get(KAFKA_TRIGGERS, namespace, "hello")["spec"]["topic"] == "orders"
        ),
        "its own, once the name is free",
    )


def test_it_goes_with_its_function(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(type="PubSub", topic="orders")
    condition("hello", "Subscribed")
    client.delete(FUNCTIONS, namespace, "hello")
    wait_for(
        lambda: (
            gone(client, KAFKA_TRIGGERS, namespace, "hello")
            and gone(client, DEPLOYMENTS, namespace, "hello-kafka")
        ),
        "nothing is left",
        60,
    )
