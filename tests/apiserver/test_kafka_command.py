"""`kubeless trigger kafka`, and what `kubeless topic` says before there is any Kafka to talk to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS
from support.command_line import Run, commands, kubeless
from support.control_plane import ControlPlane
from support.users import user_with

Object = dict[str, Any]
Spec = Callable[..., Object]

TRIGGERS = KAFKA_TRIGGER.resource
FLAGS = ["--trigger-topic", "orders", "--function-selector", "created-by=kubeless,function=hello"]
SELECTOR = {"matchLabels": {"created-by": "kubeless", "function": "hello"}}
SPEC = {"topic": "orders", "functionSelector": SELECTOR}


@pytest.fixture
def kafka(control_plane: ControlPlane, namespace: str) -> Run:
    """Run `kubeless trigger kafka ...` in the test's namespace."""
    return commands(control_plane.kubeconfig, namespace, "trigger", "kafka")


@pytest.fixture
def spec(client: Client, namespace: str) -> Spec:
    """The spec of a KafkaTrigger, without what the schema sets by itself."""

    def look(name: str = "orders") -> Object:
        found: Object = client.get(TRIGGERS, namespace, name)["spec"]
        return {key: value for key, value in found.items() if (key, value) != ("replicas", 1)}

    return look


def test_create_makes_and_makes_again_update_changes_a_part(kafka: Run, spec: Spec) -> None:
    flags = [
        "--batch-size",
        "10",
        "--attempts",
        "3",
        "--auth-secret",
        "s",
        "--on-status",
        "404=Retry",
    ]
    done = kafka("create", "orders", *FLAGS, *flags, "--replicas", "2")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Kafka trigger orders submitted" in done.stderr
    made = SPEC | {
        "batch": {"size": 10},
        "retry": {"attempts": 3, "statuses": {"404": "Retry"}},
        "auth": {"secretRef": {"name": "s"}},
        "replicas": 2,
    }
    assert spec() == made

    done = kafka("update", "orders", "--batch-size", "", "--replicas", "0", "--tls")
    assert done.returncode == 0, done.stderr
    del made["batch"]
    assert spec() == made | {"replicas": 0, "tls": {"enabled": True}}

    other = ["--trigger-topic", "orders", "--function-selector", "app=shop,tier in (a,b)"]
    for _ in range(2):
        assert kafka("create", "orders", *other).returncode == 0
        expression = {"key": "tier", "operator": "In", "values": ["a", "b"]}
        selector = {"matchLabels": {"app": "shop"}, "matchExpressions": [expression]}
        assert spec() == {"topic": "orders", "functionSelector": selector}
    missing = kafka("update", "order", "--replicas", "3")
    assert missing.returncode == 1
    assert "There is no Kafka trigger 'order' in namespace" in missing.stderr
    assert "Did you mean orders?" in missing.stderr


def test_a_selector_that_others_made_is_replaced_as_a_whole(
    kafka: Run, spec: Spec, client: Client, namespace: str
) -> None:
    legacy = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "KafkaTrigger",
        "metadata": {"name": "orders", "namespace": namespace},
        "spec": {"topic": "old", "functionSelector": {"matchLabels": {"app": "old"}}},
    }
    client.create(TRIGGERS, legacy, manager="kubectl")
    assert kafka("create", "orders", *FLAGS).returncode == 0
    assert spec() == SPEC


def test_pause_and_resume(kafka: Run, spec: Spec) -> None:
    assert kafka("create", "orders", *FLAGS).returncode == 0
    done = kafka("pause", "orders")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Kafka trigger orders paused\n")
    assert spec()["paused"] is True
    done = kafka("resume", "orders")
    assert (done.returncode, done.stderr) == (0, "Kafka trigger orders resumed\n")
    assert not spec().get("paused")
    assert "There is no Kafka trigger 'other'" in kafka("pause", "other").stderr


def test_list_describe_and_delete(kafka: Run) -> None:
    assert "No Kafka triggers found" in kafka("list").stderr
    assert kafka("create", "orders", *FLAGS, "--dead-letter-topic", "dead").returncode == 0
    header, row = kafka("list").stdout.splitlines()
    assert header.split()[:4] == ["NAME", "NAMESPACE", "TOPIC", "FUNCTION"]
    assert "created-by=kubeless,function=hello" in row
    page = kafka("describe", "orders").stdout
    assert "Topic:         orders" in page
    assert "Dead letters:  dead" in page
    shown = json.loads(kafka("describe", "orders", "-o", "json").stdout)
    assert shown["spec"]["topic"] == "orders"
    done = kafka("delete", "orders", "--wait")
    assert (done.returncode, done.stderr) == (0, "Kafka trigger orders deleted\n")
    assert kafka("delete", "orders").returncode == 1


def test_a_dry_run_is_what_the_cluster_gets(kafka: Run, spec: Spec) -> None:
    flags = [*FLAGS, "--max-backoff", "10s", "--paused"]
    printed = json.loads(kafka("create", "orders", *flags, "--dryrun", "-o", "json").stdout)
    assert "No Kafka triggers found" in kafka("list").stderr
    assert kafka("create", "orders", *flags).returncode == 0
    assert spec() == printed["spec"]


def test_dead_letters_of_a_trigger_without_consumers(
    kafka: Run, control_plane: ControlPlane, namespace: str
) -> None:
    assert kafka("create", "orders", *FLAGS).returncode == 0
    dlq = commands(control_plane.kubeconfig, namespace, "trigger", "kafka", "dlq")
    done = dlq("list", "orders")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Kafka trigger orders has no consumers yet, so it has no dead letters" in done.stderr
    assert "There is no Kafka trigger 'orderz'" in dlq("redrive", "orderz").stderr
    wrong = dlq("show", "orders", "5")
    assert wrong.returncode == 2
    assert "'5' is not a record: expected PARTITION/OFFSET" in wrong.stderr


def configuration(namespace: str, **kafka_settings: Any) -> Object:
    config = {"runtimes": [], "kafka": kafka_settings}
    labels = {"app.kubernetes.io/name": "kubeless", "app.kubernetes.io/component": "controller"}
    return {
        "metadata": {"name": "kubeless-config", "namespace": namespace, "labels": labels},
        "data": {"config.json": json.dumps(config)},
    }


def test_a_topic_needs_an_installation_and_the_right_to_make_pods(
    control_plane: ControlPlane, client: Client, namespace: str, tmp_path: Path
) -> None:
    where = ["--kafka-namespace", namespace]
    done = kubeless(control_plane.kubeconfig, "topic", "list", *where)
    assert done.returncode == 1
    assert f"no configuration of a Kubeless controller in namespace '{namespace}'" in done.stderr

    settings = {"bootstrapServers": "", "consumerImage": "image"}
    client.create(CONFIGMAPS, configuration(namespace, **settings))
    done = kubeless(control_plane.kubeconfig, "topic", "list", *where)
    assert (done.returncode, done.stdout) == (1, "")
    assert "This installation has no Kafka" in done.stderr

    settings["bootstrapServers"] = "kafka:9092"
    client.apply(CONFIGMAPS, {
        "apiVersion": "v1", "kind": "ConfigMap", **configuration(namespace, **settings)
    }, manager="test")  # fmt: skip
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    user = user_with(client, control_plane.kubeconfig, namespace, tmp_path / "user.json", rule)
    done = kubeless(user, "topic", "create", "orders", *where)
    assert done.returncode == 1
    assert "cannot create resource 'pods'" in done.stderr
    assert "'get' and 'create' on pods/attach" in done.stderr
    assert "kubeless-kafka-admin" in done.stderr

    done = kubeless(user, "kafka", "user", "create", "bob", *where, "-n", namespace)
    assert done.returncode == 1
    assert "asks nobody for credentials" in done.stderr
