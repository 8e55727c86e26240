"""Failures of a function: what is tried again, what waits, what becomes a dead letter. Nothing is passed over."""

from __future__ import annotations

import os
import time

import pytest

from support.kafka_consumer import Consume, committed, group_of
from support.kafka_desk import Desk, Record
from support.kafka_function import Function
from support.waiting import wait_for

ONCE = {"attempts": 1, "initialBackoff": 0.05, "maxBackoff": 1.0, "statuses": {}}


def test_a_failure_is_tried_again(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"times": 2, "status": 500})
    desk.send(topic, Record(b"one", b"k"), Record(b"two", b"k"))
    consume(topic)
    committed(desk, topic, 2)
    assert function.offsets() == [0, 0, 0, 1]


def test_retry_after_is_waited_for(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"times": 1, "status": 429, "headers": {"Retry-After": "2"}})
    desk.send(topic, Record(b"one", b"k"))
    # No longer than maxBackoff, whatever a function asks for.
    consume(topic, retry={**ONCE, "attempts": 4, "maxBackoff": 10.0})
    first, second = function.wait_for_calls(2)
    assert second.at - first.at >= 2
    committed(desk, topic, 1)


def test_a_busy_function_is_waited_for_without_attempts_while_other_keys_go_on(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    busy = {"key": "busy", "times": 3, "status": 503, "headers": {"Retry-After": "1"}}
    function.rules(busy)
    desk.send(topic, Record(b"one", b"busy"), Record(b"two", b"free"))
    consume(topic, retry=ONCE)
    committed(desk, topic, 2)
    offsets = function.offsets()
    assert sorted(offsets) == [0, 0, 0, 0, 1]
    assert offsets.index(1) < 2
    assert desk.topics().get(f"{topic}.dlq", {}) == {} or desk.read(f"{topic}.dlq") == []


def test_an_outage_holds_records_and_ends_by_itself(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    consumer = consume(topic, retry=ONCE)
    desk.send(topic, Record(b"before", b"k"))
    committed(desk, topic, 1)
    function.program.scale(0)
    desk.send(topic, *(Record(b"waits", f"k{n}".encode()) for n in range(20)))
    consumer.wait_for_problem("FunctionUnavailable")
    function.program.scale(1)
    committed(desk, topic, 21, 60)
    assert sorted(function.offsets()) == list(range(1, 21))
    consumer.wait_until_well()
    assert desk.topics().get(f"{topic}.dlq", {}) == {} or desk.read(f"{topic}.dlq") == []


@pytest.mark.parametrize(("status", "attempts"), [(422, 1), (500, 4)])
def test_what_is_poison_becomes_a_dead_letter(
    desk: Desk, topic: str, consume: Consume, function: Function, status: int, attempts: int
) -> None:
    function.rules({"event": "/0/1", "status": status, "body": "never this one"})
    poison = Record(b"\x00poison\xff", b"\xfekey", [("kept", b"\x01"), ("kept", None)])
    before = time.time() * 1000
    desk.send(topic, Record(b"good", b"a"), poison, Record(b"good", b"\xfekey"))
    consumer = consume(topic)
    committed(desk, topic, 3)
    assert function.offsets().count(1) == attempts
    (letter,) = desk.read(f"{topic}.dlq")
    assert (letter.key, letter.value) == (poison.key, poison.value)
    assert list(letter.headers)[:2] == [("kept", b"\x01"), ("kept", None)]
    assert letter.header("kubeless-dlq-topic") == topic
    assert letter.header("kubeless-dlq-partition") == "0"
    assert letter.header("kubeless-dlq-offset") == "1"
    assert int(letter.header("kubeless-dlq-timestamp")) >= before - 1
    assert letter.header("kubeless-dlq-attempts") == str(attempts)
    assert letter.header("kubeless-dlq-status") == str(status)
    assert letter.header("kubeless-dlq-error")
    assert letter.header("kubeless-dlq-function") == "function"
    assert letter.header("kubeless-dlq-trigger") == "test"
    # It was written down before the commit; the pod is asked once the kubelet has found it ready.
    told = wait_for(consumer.function, "the consumer tells of the function")
    assert told["lastError"]["reason"] == "DeadLettered"


def test_a_dead_letter_topic_that_takes_nothing_stops_the_commit_and_not_the_data(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    dead = f"{topic}.dlq"
    desk.create(dead, max_message_bytes="150")
    function.rules({"event": "/0/1", "status": 422})
    # Of no pattern: the producer compresses what it writes.
    poison = os.urandom(500)
    desk.send(topic, Record(b"good", b"a"), Record(poison, b"b"), Record(b"good", b"b"))
    consumer = consume(topic)
    consumer.wait_for_problem("DeadLetterUnavailable")
    committed(desk, topic, 1)
    assert 2 not in function.offsets()
    desk.configure(dead, max_message_bytes="100000")
    committed(desk, topic, 3, 60)
    (letter,) = desk.read(dead)
    assert letter.value == poison
    assert function.offsets()[-1] == 2
    consumer.wait_until_well()


def test_the_table_of_statuses_can_be_set(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"key": "lost", "times": 2, "status": 404}, {"key": "bad", "status": 500})
    desk.send(topic, Record(b"one", b"lost"), Record(b"two", b"bad"))
    statuses = {"404": "Retry", "5xx": "DeadLetter"}
    consume(topic, retry={**ONCE, "attempts": 4, "statuses": statuses})
    committed(desk, topic, 2)
    assert sorted(function.offsets()) == [0, 0, 0, 1]
    (letter,) = desk.read(f"{topic}.dlq")
    assert letter.value == b"two"


def test_the_window_of_uncommitted_records_is_bounded(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    # It waits, without an end of its own, and the other keys go on.
    function.rules({"event": "/0/0", "status": 503, "headers": {"Retry-After": "1"}})
    desk.send(topic, *(Record(b"x", f"k{n}".encode()) for n in range(100)))
    consumer = consume(topic, maxUncommitted=20)

    def full() -> bool:
        (place,) = consumer.function().get("assigned") or [{"uncommitted": 0}]
        return int(place["uncommitted"]) >= 19

    wait_for(full, "the window is full")
    wait_for(lambda: set(function.offsets()) >= set(range(20)), "all in the window were called for")
    assert set(function.offsets()) == set(range(20))
    assert desk.committed(group_of(topic), topic).get(0, -1) <= 0
    function.rules()
    committed(desk, topic, 100)
    assert sorted(offset for offset in function.offsets() if offset) == list(range(1, 100))
