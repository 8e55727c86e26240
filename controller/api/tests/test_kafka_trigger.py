"""What a KafkaTrigger may say, and what it is told when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.kafka_trigger import Batch, KafkaTrigger, Retry, labels_of, parse, selector_of

KAFKA = {"bootstrapServers": "kafka.kubeless:9092"}
HELLO = {"matchLabels": {"function": "hello"}}


def trigger(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "orders", "namespace": "n", "uid": "u"},
        "spec": {"topic": "orders", "functionSelector": HELLO, **spec},
    }


def parsed(**spec: Any) -> KafkaTrigger:
    return parse(trigger(**spec), KAFKA)


def test_defaults_and_zero_values() -> None:
    zero = dict.fromkeys(
        ("bootstrapServers", "consumerGroup", "startOffset", "deadLetterTopic", "responseTopic"), ""
    )
    nothing = dict.fromkeys(
        ("auth", "tls", "retry", "batch", "maxInFlight", "maxUncommitted", "replicas", "paused")
    )
    for found in (parsed(), parsed(**zero, **nothing, resources={"limits": {}})):
        assert (found.topic, found.dead_letter_topic, found.response_topic) == (
            "orders",
            "orders.dlq",
            "",
        )
        assert found.retry == Retry(8, 0.5, 60.0, {})
        assert (found.batch, found.max_in_flight, found.max_uncommitted) == (None, 32, 1000)
        assert (found.replicas, found.paused, found.start_offset) == (1, False, "latest")
        assert found.resources == {}
        assert found.connection.bootstrap_servers == "kafka.kubeless:9092"


def test_everything_set() -> None:
    found = parsed(
        retry={
            "attempts": 3,
            "initialBackoff": "1m30s",
            "maxBackoff": 120,
            "statuses": {"404": "Retry", "5xx": "DeadLetter"},
        },
        maxInFlight=1000,
        deadLetterTopic="dead",
        responseTopic="answers",
        startOffset="earliest",
        replicas=0,
        paused=True,
    )
    assert found.retry == Retry(3, 90.0, 120.0, {"404": "Retry", "5xx": "DeadLetter"})
    # What is open at once is uncommitted, too.
    assert (found.max_in_flight, found.max_uncommitted) == (1000, 1000)
    assert (found.dead_letter_topic, found.response_topic) == ("dead", "answers")
    assert (found.replicas, found.paused, found.start_offset) == (0, True, "earliest")


def test_a_batch() -> None:
    assert parsed(batch={"size": 100}).batch == Batch(100, 0.05)
    assert parsed(batch={"size": 7, "wait": "1.5s"}).batch == Batch(7, 1.5)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"topic": ""}, "spec.topic: found nothing, expected 1 to 249 letters"),
        ({"topic": "a b"}, "spec.topic: found 'a b'"),
        ({"topic": "orders", "deadLetterTopic": "orders"}, "which is spec.topic itself"),
        ({"responseTopic": "orders"}, "spec.responseTopic: found 'orders', which is spec.topic"),
        ({"deadLetterTopic": ".."}, "spec.deadLetterTopic: found '..'"),
        ({"topic": "x" * 249}, "spec.deadLetterTopic: found nothing"),
        ({"consumerGroup": "a b"}, "spec.consumerGroup: found 'a b'"),
        (
            {"startOffset": "Latest"},
            "spec.startOffset: found 'Latest', expected latest or earliest",
        ),
        (
            {"retry": {"attempts": 0}},
            "spec.retry.attempts: found 0, expected a whole number from 1",
        ),
        ({"retry": {"initialBackoff": "1 s"}}, "spec.retry.initialBackoff: found '1 s'"),
        ({"retry": {"initialBackoff": True}}, "spec.retry.initialBackoff: found True"),
        ({"retry": {"initialBackoff": 0}}, "from 0.001 to 3600 seconds"),
        (
            {"retry": {"initialBackoff": 5, "maxBackoff": "2s"}},
            "spec.retry.maxBackoff: found '2s', expected no less than spec.retry.initialBackoff, 5 s",
        ),
        ({"retry": {"statuses": {"600": "Retry"}}}, "spec.retry.statuses: found '600'"),
        ({"retry": {"statuses": {"404": "Skip"}}}, "spec.retry.statuses[404]: found 'Skip'"),
        (
            {"batch": {"size": 2}, "responseTopic": "answers"},
            "spec.responseTopic: found 'answers' beside spec.batch",
        ),
        ({"batch": {"wait": 1}}, "spec.batch.size: found nothing"),
        ({"batch": {"size": 0}}, "spec.batch.size: found 0"),
        ({"batch": {"size": 10001}}, "from 1 to 10000"),
        ({"maxInFlight": 1001}, "spec.maxInFlight: found 1001"),
        ({"maxInFlight": 9, "maxUncommitted": 8}, "no less than spec.maxInFlight, 9"),
        ({"replicas": -1}, "spec.replicas: found -1"),
        ({"paused": "yes"}, "spec.paused: found 'yes'"),
        ({"functionSelector": "hello"}, "spec.functionSelector: found 'hello'"),
        (
            {"functionSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}},
            "spec.functionSelector.matchExpressions[0].operator: found 'Is', expected one of In, NotIn",
        ),
        (
            {"functionSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
            "values: found nothing, expected one value or more for In",
        ),
        (
            {"functionSelector": {"matchExpressions": [{"operator": "Exists"}]}},
            "matchExpressions[0].key: found nothing",
        ),
        (
            {
                "functionSelector": {
                    "matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]
                }
            },
            "expected none for Exists",
        ),
    ],
)
def test_what_is_wrong_is_said(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parsed(**spec)
    assert caught.value.reason == "InvalidSpec"
    assert said in caught.value.message


@pytest.mark.parametrize(
    "selector", [None, {}, {"matchLabels": {}}, {"matchLabels": None, "matchExpressions": []}]
)
def test_nothing_selected(selector: Any) -> None:
    with pytest.raises(SpecError) as caught:
        parsed(functionSelector=selector)
    assert caught.value.reason == "NothingSelected"
    assert "created-by: kubeless" in caught.value.message


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        # As the original's command line wrote them; the Function itself has neither label.
        ({"matchLabels": {"created-by": "kubeless", "function": "hello"}}, True),
        ({"matchLabels": {"created-by": "kubeless", "function": "other"}}, False),
        ({"matchLabels": {"created-by": "kubeless"}}, True),
        ({"matchLabels": {"team": "a"}}, True),
        ({"matchLabels": {"team": "b"}}, False),
        ({"matchLabels": {"team": "a", "tier": "x"}}, False),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists", "values": None}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
        (
            {
                "matchLabels": {"team": "a"},
                "matchExpressions": [{"key": "function", "operator": "DoesNotExist"}],
            },
            False,
        ),
    ],
)
def test_which_functions_are_selected(selector: dict[str, Any], matches: bool) -> None:
    function = {"metadata": {"name": "hello", "labels": {"team": "a"}}}
    found = selector_of(trigger(functionSelector=selector))
    assert found.matches(labels_of(function)) is matches


def test_a_selector_is_told_as_kubectl_takes_it() -> None:
    found = selector_of(
        trigger(
            functionSelector={
                "matchLabels": {"a": "b"},
                "matchExpressions": [
                    {"key": "c", "operator": "In", "values": ["e", "d"]},
                    {"key": "f", "operator": "NotIn", "values": ["g"]},
                    {"key": "h", "operator": "Exists"},
                    {"key": "i", "operator": "DoesNotExist"},
                ],
            }
        )
    )
    assert str(found) == "a=b,c in (d,e),f notin (g),h,!i"


def test_groups() -> None:
    assert parsed().group_of("hello") == "n_orders_hello_orders"
    assert parsed(consumerGroup="mine").group_of("hello") == "mine"
    several = {"matchLabels": {"team": "a"}}
    # Whether one function matches or two: a group that changed would lose its place.
    found = parsed(consumerGroup="mine", functionSelector=several)
    assert found.group_of("hello") == "mine_hello"
