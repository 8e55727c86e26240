"""The controller of KafkaTriggers comes and goes: it writes nothing anew, and what it left half done is finished."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from kubeless_controller.reconcile.caches import FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS
from support.controller import Controller
from support.functions import manifest
from support.kafka_consumers import Consumer, config_of, kafka_manifest
from support.waiting import wait_for

Object = dict[str, Any]

TEAMS = ("red", "green")


def test_a_restart_writes_nothing(
    client: Client,
    namespace: str,
    controller: Controller,
    deploy: Callable[..., Object],
    subscribe: Callable[..., Object],
    kafka_condition: Callable[..., Object],
    consumer: Callable[..., Consumer],
) -> None:
    deploy()
    subscribe()
    one = consumer(topicMissing=True)
    kafka_condition("orders", "Ready", "Progressing")
    wait_for(lambda: config_of(client, namespace)["startOffset"] == "earliest", "remembered")
    one.follow(topicMissing=True)
    one.troubled("lastError", "HandlerFailed", "answered with 500")
    kafka_condition("orders", "Ready", "Consuming")
    subscribe("silent")
    other = consumer("silent")
    kafka_condition("silent", "Ready", "Consuming")
    other.answer = b"?"
    kafka_condition("silent", "Ready", "ConsumerUnreadable")
    versions = {
        item["metadata"]["name"]: item["metadata"]["resourceVersion"]
        for item in client.list(KAFKA_TRIGGERS, namespace)["items"]
    }
    controller.end()
    asked = one.requests
    controller.start()
    wait_for(lambda: one.requests >= asked + 2, "the consumers are asked again")
    assert controller.writes() == 0
    after = {
        item["metadata"]["name"]: item["metadata"]["resourceVersion"]
        for item in client.list(KAFKA_TRIGGERS, namespace)["items"]
    }
    assert after == versions


def difference(client: Client, namespace: str) -> str:
    """The first thing that is not as the triggers and Functions say; '' when all is."""
    teams: dict[str, set[str]] = {}
    for function in client.list(FUNCTIONS, namespace)["items"]:
        if not function["metadata"].get("deletionTimestamp"):
            team = function["metadata"]["labels"]["team"]
            teams.setdefault(team, set()).add(function["metadata"]["name"])
    triggers = client.list(KAFKA_TRIGGERS, namespace)["items"]
    expected = {f"{trigger['metadata']['name']}-kafka" for trigger in triggers}
    for resource in (DEPLOYMENTS, CONFIGMAPS):
        found = client.list(resource, namespace, labels="kubeless.io/trigger=kafka")["items"]
        names = {item["metadata"]["name"] for item in found}
        if names != expected:
            return f"{resource.kind}s: {sorted(names)}, not {sorted(expected)}"
    for trigger in triggers:
        name, spec = trigger["metadata"]["name"], trigger["spec"]
        config = config_of(client, namespace, name)
        called = {function["name"] for function in config["functions"]}
        team = spec["functionSelector"]["matchLabels"]["team"]
        if called != teams.get(team, set()):
            return f"{name} calls {sorted(called)}, not {sorted(teams.get(team, set()))}"
        if config["topic"] != spec["topic"]:
            return f"{name} reads {config['topic']}"
        live = client.get(DEPLOYMENTS, namespace, f"{name}-kafka")
        if live["spec"]["replicas"] != spec["replicas"]:
            return f"{name} has {live['spec']['replicas']} replicas, not {spec['replicas']}"
        if (trigger.get("status") or {}).get("functions") != sorted(called):
            return f"{name} says {trigger.get('status')}"
    return ""


def test_kill_9_at_any_moment_of_40_changes(
    client: Client, namespace: str, controller_process: Controller
) -> None:
    chance = random.Random(7)
    controller_process.start()
    for step in range(40):
        try:
            if chance.random() < 0.2:
                client.delete(KAFKA_TRIGGERS, namespace, f"t{chance.randrange(4)}")
            elif chance.random() < 0.2:
                client.delete(FUNCTIONS, namespace, f"f{chance.randrange(4)}")
            else:
                selector = {"matchLabels": {"team": chance.choice(TEAMS)}}
                trigger = kafka_manifest(
                    namespace,
                    f"t{chance.randrange(4)}",
                    functionSelector=selector,
                    topic=chance.choice(["orders", "news"]),
                    replicas=chance.randrange(3),
                )
                client.apply(KAFKA_TRIGGERS, trigger, manager="user")
                labels = {"team": chance.choice(TEAMS)}
                function = manifest(namespace, f"f{chance.randrange(4)}", labels=labels)
                client.apply(FUNCTIONS, function, manager="user")
        except NotFound:
            continue
        if step % 8 == 3:
            time.sleep(chance.uniform(0, 0.15))
            assert controller_process.process is not None
            controller_process.process.kill()
            controller_process.start()
    try:
        wait_for(lambda: not difference(client, namespace), "the world is exact", 90)
    except AssertionError:
        raise AssertionError(difference(client, namespace) or "exact, but late") from None
