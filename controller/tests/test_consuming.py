"""What consumers say, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubeless_controller.observed import consuming
from kubeless_controller.observed.consumer_report import NoReport, Report, Trouble, parse
from kubeless_controller.observed.consuming import Expected, Seen
from kubeless_controller.observed.verdict import Verdict

Object = dict[str, Any]

SERVING = Verdict(True, "Serving", "1 of 1 pods serving")
ONE = Expected("orders", ("hello",), "abc")
TWO = replace(ONE, functions=("hello", "other"))


def function(name: str = "hello", assigned: range = range(3), **more: Any) -> Object:
    return {
        "name": name,
        "group": name,
        "partitions": 3,
        "start": None,
        "assigned": [{"partition": number, "lag": number} for number in assigned],
        "problem": None,
        "lastError": None,
        **more,
    }


def answer(*functions: Object, **more: Any) -> Object:
    return {
        "version": 1,
        "pod": "p",
        "configHash": "abc",
        "state": "Running",
        "problem": None,
        "topicMissing": False,
        "functions": list(functions),
        **more,
    }


def report(*functions: Object, **more: Any) -> Report:
    return parse(json.dumps(answer(*functions, **more)).encode())


def trouble(reason: str, message: str = "m", time: str = "2026-01-01T00:00:00Z") -> Object:
    return {"reason": reason, "message": message, "time": time}


def ready(expected: Expected, *reports: Report | None, rollout: Verdict = SERVING) -> Verdict:
    seen = [Seen(f"p{number}", one, "why") for number, one in enumerate(reports)]
    return consuming.ready(expected, rollout, seen, paused=False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"[" * 100000, "no JSON"),
        (b"\xff", "no JSON"),
        (b"7", "version 7"),
        (json.dumps(answer(version=2)).encode(), "this controller knows 1"),
        (json.dumps(answer(topicMissing="no")).encode(), "topicMissing: found str"),
        (json.dumps(answer(functions={})).encode(), "functions: found dict"),
        (json.dumps(answer(functions=[7])).encode(), "expected a list of objects"),
        (json.dumps(answer(configHash="x" * 600)).encode(), "found 600 characters"),
        (json.dumps(answer(function(partitions="3"))).encode(), "partitions: found str"),
        (json.dumps(answer(function(start="middle"))).encode(), "start: found 'middle'"),
        (
            json.dumps(answer({**function(), "assigned": [{}]})).encode(),
            "partition: found NoneType",
        ),
        (json.dumps(answer(problem={"reason": "no word", "message": ""})).encode(), "a word"),
        (json.dumps(answer(problem=trouble(""))).encode(), "a word"),
        (json.dumps(answer(problem="broken")).encode(), "problem: found str"),
    ],
)
def test_an_answer_that_cannot_be_read(body: bytes, said: str) -> None:
    with pytest.raises(NoReport) as caught:
        parse(body)
    assert said in str(caught.value)


def test_what_is_read() -> None:
    found = report(
        function(lastError=trouble("HandlerFailed", "x" * 9000, "2026-01-01T02:00:00+02:00")),
        problem=trouble("BrokerUnreachable", time="yesterday"),
        surplus=1,
    )
    assert found.problem == Trouble("BrokerUnreachable", "m", "")
    (part,) = found.subscriptions
    assert (part.partitions, part.assigned, part.lag) == (3, frozenset({0, 1, 2}), 3)
    assert part.last_error is not None
    assert part.last_error.time == "2026-01-01T00:00:00Z"
    assert len(part.last_error.message) <= 4096


def test_consuming() -> None:
    assert ready(ONE, report(function())) == Verdict(
        True, "Consuming", "3 partitions of topic 'orders' for 1 function: 1 consumer"
    )
    halves = [
        report(function(assigned=part), function("other", part)) for part in (range(2), range(2, 3))
    ]
    assert ready(TWO, *halves).ok
    idle = report(function(assigned=range(0)))
    told = ready(ONE, report(function()), *[idle] * 3)
    assert told.ok
    assert told.message.endswith(
        "4 consumers; 1 has nothing to do: a partition has one consumer at most"
    )


@pytest.mark.parametrize(
    ("expected", "reports", "reason", "said"),
    [
        (replace(ONE, functions=()), [report()], "NoFunctions", "records wait until one has"),
        (ONE, [report(function(), configHash="old")], "Progressing", "0 of 1 consumers have read"),
        (ONE, [], "Progressing", "0 of 0 consumers"),
        (ONE, [report()], "Progressing", "function hello: its consumer group is being joined"),
        (ONE, [report(function(partitions=None))], "Progressing", "is being joined"),
        (ONE, [report(function(assigned=range(2)))], "Progressing", "2 of 3 partitions have a"),
        (ONE, [report(function()), None], "ConsumerUnreadable", "pod p1 serves, and does not"),
        (ONE, [report(problem=trouble("ConfigInvalid"))], "ConfigInvalid", "m"),
        (
            TWO,
            [report(function("other", problem=trouble("TopicNotFound")), function())],
            "TopicNotFound",
            "function other: m",
        ),
        # What the newest configuration may have healed, or a function that is not called any more.
        (
            ONE,
            [report(function(problem=trouble("TopicNotFound")), configHash="old")],
            "Progressing",
            "0 of 1",
        ),
        (
            ONE,
            [report(function(), function("gone", problem=trouble("TopicNotFound")))],
            "Consuming",
            "3 partitions",
        ),
        (
            replace(ONE, auth_secret="me"),
            [report(function(problem=trouble("AuthenticationFailed")))],
            "AuthenticationFailed",
            "those of the Secret 'me' in this namespace",
        ),
        (
            replace(ONE, tls_secret="ca"),
            [report(problem=trouble("TLSFailed"))],
            "TLSFailed",
            "those of the Secret 'ca' in this namespace: it must be there, and have the key ca.crt",
        ),
    ],
)
def test_what_keeps_it_from_being_ready(
    expected: Expected, reports: list[Report | None], reason: str, said: str
) -> None:
    told = ready(expected, *reports)
    assert told.reason == reason
    assert said in told.message


def test_pods_that_do_not_run() -> None:
    starting = Verdict(False, "Progressing", "pod p is starting")
    assert ready(ONE, rollout=starting) == starting
    # What a pod says of itself tells more than that it is not ready.
    told = ready(ONE, report(problem=trouble("ConfigInvalid")), rollout=starting)
    assert told.reason == "ConfigInvalid"
    missing = Verdict(False, "ContainerConfigError", 'pod p cannot start: secret "me" not found')
    assert ready(ONE, rollout=missing) == missing
    assert ready(replace(ONE, auth_secret="me"), rollout=missing).reason == "SecretMissing"
    zero = Verdict(False, "ScaledToZero", "the function is scaled to 0 pods")
    assert "spec.replicas is 0" in ready(ONE, rollout=zero).message


def test_numbers() -> None:
    nothing = {"partitions": None, "assignedPartitions": None, "lag": None}
    assert consuming.numbers(ONE, []) == nothing
    seen = [
        Seen("a", report(function(assigned=range(2)), function("other", range(1)))),
        Seen("b", report(function(assigned=range(2, 3)), function("other", range(1, 2)))),
        Seen("c", None, "silent"),
    ]
    # Of `other`, one partition has nobody.
    assert consuming.numbers(TWO, seen) == {"partitions": 3, "assignedPartitions": 2, "lag": 4}
    # Where brokers have not answered yet, nobody knows how much waits.
    unseen = [Seen("a", report(function(partitions=None, assigned=())))]
    assert consuming.numbers(ONE, unseen) == {**nothing, "assignedPartitions": 0}


def test_starts_errors_and_a_missing_topic() -> None:
    first = report(function(start="committed", lastError=trouble("A", "old")))
    second = report(function(start="latest", lastError=trouble("B", "new", "2026-02-01T00:00:00Z")))
    seen = [Seen("a", first), Seen("b", second)]
    assert consuming.start(seen) == "latest"
    assert consuming.start([]) == ""
    told = consuming.last_error(seen)
    assert told == {"reason": "B", "message": "function hello: new", "time": "2026-02-01T00:00:00Z"}
    assert consuming.last_error([Seen("a", report(function()))]) is None
    assert not consuming.topic_missing(ONE, seen)
    assert consuming.topic_missing(ONE, [Seen("a", report(topicMissing=True))])
    # Of the topic that was named before, perhaps.
    stale = report(topicMissing=True, configHash="old")
    assert not consuming.topic_missing(ONE, [Seen("a", stale)])
