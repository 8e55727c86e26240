"""What the API server says to a KafkaTrigger that is wrong, and takes of one that is right."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.errors import Invalid
from support.functions import manifest
from support.kafka_consumers import kafka_manifest
from support.namespaces import made

Object = dict[str, Any]


@pytest.fixture(scope="module")
def namespace(client: Client) -> str:
    """One for all: what is made here is refused, or a dry run."""
    return made(client)


def refusal(client: Client, namespace: str, **spec: Any) -> str:
    with pytest.raises(Invalid) as caught:
        client.create(KAFKA_TRIGGERS, kafka_manifest(namespace, **spec), dry_run=True)
    return caught.value.message


@pytest.mark.parametrize(
    "spec",
    [
        {},
        # The zero values of the original's command line, and whatever templates leave empty.
        dict.fromkeys(("bootstrapServers", "consumerGroup", "startOffset", "deadLetterTopic"), ""),
        dict.fromkeys(
            (
                "auth",
                "tls",
                "retry",
                "batch",
                "maxInFlight",
                "maxUncommitted",
                "paused",
                "resources",
            )
        ),
        {"functionSelector": None},
        {"functionSelector": {"matchLabels": None, "matchExpressions": None}},
        {"auth": {"mechanism": "", "secretRef": {"name": ""}}, "tls": {"enabled": None}},
        {"retry": {"initialBackoff": "", "maxBackoff": None, "statuses": None}},
        {"retry": {"initialBackoff": "1m30s", "maxBackoff": 120, "statuses": {"5xx": "Retry"}}},
        {"batch": {"size": 10000, "wait": "1.5s"}, "replicas": 0, "paused": True},
        {"bootstrapServers": "a:1, b.c-d:9092,[::1]:9092"},
        {"maxInFlight": 1000, "maxUncommitted": 1000},
        {"maxInFlight": 2, "maxUncommitted": 2},
        {
            "functionSelector": {
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["b"]},
                    {"key": "a", "operator": "Exists", "values": []},
                    {"key": "a", "operator": "DoesNotExist"},
                ]
            }
        },
        {"resources": {"limits": {"memory": "256Mi", "cpu": 1}}},
    ],
)
def test_what_is_right(client: Client, namespace: str, spec: Object) -> None:
    made = client.create(KAFKA_TRIGGERS, kafka_manifest(namespace, **spec), dry_run=True)
    assert made["spec"]["replicas"] == spec.get("replicas", 1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"topic": None}, "spec.topic: found nothing; name the topic"),
        ({"topic": ""}, "spec.topic: found nothing; name the topic"),
        ({"topic": "a b"}, "spec.topic: found 'a b', expected 1 to 249 letters"),
        ({"topic": ".."}, "spec.topic: found '..'"),
        ({"topic": "x" * 250}, "spec.topic: Too long"),
        (
            {"deadLetterTopic": "orders"},
            "spec.deadLetterTopic: found 'orders', which is spec.topic",
        ),
        ({"responseTopic": "orders"}, "spec.responseTopic: found 'orders', which is spec.topic"),
        ({"deadLetterTopic": "a/b"}, "spec.deadLetterTopic: found 'a/b'"),
        (
            {"responseTopic": "answers", "batch": {"size": 2}},
            "spec.responseTopic: found one beside spec.batch",
        ),
        ({"responseTopic": "a/b"}, "spec.responseTopic: found 'a/b'"),
        (
            {"bootstrapServers": "kafka"},
            "spec.bootstrapServers: found 'kafka', expected one or more",
        ),
        ({"bootstrapServers": "a:1,"}, "spec.bootstrapServers: found 'a:1,'"),
        ({"consumerGroup": "a b"}, "spec.consumerGroup: found 'a b'"),
        ({"startOffset": "first"}, "spec.startOffset: found 'first', expected latest or earliest"),
        ({"auth": {"mechanism": "GSSAPI"}}, "spec.auth.mechanism: found 'GSSAPI', expected PLAIN"),
        (
            {"tls": {"enabled": False, "secretRef": {"name": "ca"}}},
            "spec.tls.enabled: found false beside the Secret 'ca'",
        ),
        ({"retry": {"attempts": 0}}, "spec.retry.attempts"),
        (
            {"retry": {"initialBackoff": "soon"}},
            "spec.retry.initialBackoff: found 'soon', expected",
        ),
        (
            {"retry": {"maxBackoff": 4000}},
            "spec.retry.maxBackoff: found '4000', expected from 0.001",
        ),
        ({"retry": {"statuses": {"600": "Retry"}}}, "spec.retry.statuses: found '600'"),
        ({"retry": {"statuses": {"404": "Skip"}}}, "spec.retry.statuses: found 'Skip', expected"),
        ({"batch": {"wait": "1s"}}, "spec.batch.size: found nothing"),
        ({"batch": {"size": 10001}}, "spec.batch.size"),
        ({"batch": {"size": 1, "wait": 61}}, "spec.batch.wait: found '61', expected from 0 to 60"),
        ({"maxInFlight": 0}, "spec.maxInFlight"),
        ({"maxInFlight": 1001}, "spec.maxInFlight"),
        ({"maxUncommitted": 100001}, "spec.maxUncommitted"),
        ({"maxInFlight": 9, "maxUncommitted": 8}, "found less than spec.maxInFlight"),
        ({"maxUncommitted": 8}, "found less than 32, which spec.maxInFlight is"),
        ({"replicas": -1}, "spec.replicas"),
        ({"resources": {"limits": {"memory": "much"}}}, "resource quantity: found 'much'"),
        (
            {"functionSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
            "operator: found 'Is', expected In, NotIn, Exists or DoesNotExist",
        ),
        (
            {"functionSelector": {"matchExpressions": [{"key": "a", "operator": "NotIn"}]}},
            "values: found nothing, expected one value or more for NotIn",
        ),
        (
            {
                "functionSelector": {
                    "matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]
                }
            },
            "values: found some, expected none for Exists",
        ),
    ],
)
def test_what_is_wrong_is_said(client: Client, namespace: str, spec: Object, said: str) -> None:
    assert said in refusal(client, namespace, **spec)


def test_a_functions_topic(client: Client, namespace: str) -> None:
    made = manifest(namespace, type="PubSub", topic="orders")
    assert client.create(FUNCTIONS, made, dry_run=True)["spec"]["topic"] == "orders"
