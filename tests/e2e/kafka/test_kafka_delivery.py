"""What a function gets of a record, and in which order."""

from __future__ import annotations

import base64
import itertools
import json
import os
from datetime import UTC, datetime
from urllib.parse import unquote

from support.kafka_consumer import Consume, committed, group_of
from support.kafka_desk import Desk, Record
from support.kafka_function import Call, Function

MIB = 1024 * 1024
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#: 2021-01-01 10:00:00.123 UTC
MOMENT = 1_609_495_200_123


def test_the_headers_of_a_record(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    desk.send(
        topic,
        Record(
            b'{"order": 1}',
            "Schlüssel 1".encode(),
            [("traceparent", TRACE.encode()), ("Source", "Büro\r\n".encode())],
            timestamp=MOMENT,
        ),
        Record(b"plain text", b"key-2"),
        Record(b"[1, 2]", b"key-3"),
    )
    consume(topic)
    first, second, third = sorted(function.wait_for_calls(3), key=lambda call: call.offset)
    assert first.path == "/"
    assert first.body == b'{"order": 1}'
    got = dict(first.headers)
    assert got["event-id"] == got["ce-id"] == f"{topic}/0/0"
    assert got["event-type"] == got["content-type"] == "application/json"
    assert got["event-time"] == "2021-01-01 10:00:00.123 +0000 UTC"
    assert datetime.fromisoformat(got["ce-time"]) == datetime.fromtimestamp(MOMENT / 1000, UTC)
    assert got["event-namespace"] == "kafkatriggers.kubeless.io"
    assert got["event-topic"] == topic
    assert got["ce-specversion"] == "1.0"
    assert got["ce-source"]
    assert got["ce-type"]
    assert (got["kafka-partition"], got["kafka-offset"]) == ("0", "0")
    assert got["kafka-timestamp"] == str(MOMENT)
    assert unquote(got["kafka-key"]) == "Schlüssel 1"
    assert got["kafka-key"].isascii()
    assert unquote(got["kafka-header-source"]) == "Büro\r\n"
    assert got["traceparent"] == TRACE
    for call, body, key in ((second, b"plain text", "key-2"), (third, b"[1, 2]", "key-3")):
        assert call.body == body
        assert call.headers["event-type"] == "application/x-www-form-urlencoded"
        assert call.headers["content-type"] == "application/x-www-form-urlencoded"
        assert call.headers["kafka-key"] == key
        assert "traceparent" not in call.headers
    committed(desk, topic, 3)


def test_a_null_key_and_a_null_value(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    desk.send(
        topic,
        Record(None, None),
        Record(None, b"deleted"),
        Record(b"", b""),
        Record(b"null", None, [("nothing", None)]),
    )
    consume(topic)
    calls = sorted(function.wait_for_calls(4), key=lambda call: call.offset)
    assert [call.body for call in calls] == [b"", b"", b"", b"null"]
    assert [call.headers.get("kafka-key") for call in calls] == [None, "deleted", "", None]
    assert calls[3].headers["event-type"] == "application/json"
    committed(desk, topic, 4)


def test_a_record_of_one_mebibyte(
    desk: Desk, consume: Consume, function: Function, topic: str
) -> None:
    desk.configure(topic, max_message_bytes=str(3 * MIB))
    large = bytes(range(256)) * (MIB // 256)
    desk.send(topic, Record(b"before"), Record(large, b"large"), Record(b"after"))
    consume(topic)
    bodies = {call.offset: call.body for call in function.wait_for_calls(3)}
    assert bodies[1] == large
    committed(desk, topic, 3)


def test_a_key_keeps_its_order_while_others_go_on_beside_it(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    keys = (b"a", b"b", b"c")
    function.rules({"key": "a", "seconds": 0.2}, {"seconds": 0.1})
    desk.send(topic, *(Record(str(n).encode(), key) for n in range(8) for key in keys))
    consume(topic)
    committed(desk, topic, 24)
    calls = function.calls()
    assert len(calls) == 24
    for key in keys:
        mine = [call for call in calls if call.headers["kafka-key"] == key.decode()]
        assert [call.offset for call in mine] == sorted(call.offset for call in mine)
        assert all(before.ended <= after.at for before, after in itertools.pairwise(mine))
    assert any(_overlap(one, other) for one in calls for other in calls if one is not other)


def _overlap(one: Call, other: Call) -> bool:
    assert one.ended is not None
    return one.at < other.at < one.ended


def test_batches_and_those_of_a_batch_that_failed(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"times": 1, "body": json.dumps({"failed": [1]})})
    sent = [
        Record(b'{"n": 0}', b"k0"),
        Record(b'{"n": 1}', b"k1"),
        Record(b"text", b"k2"),
        Record(b"\xff\x00", b"k3"),
    ]
    desk.send(topic, *sent)
    consume(topic, batch={"size": 4, "wait": 1.0})
    first, second = function.wait_for_calls(2)[:2]
    assert first.headers["content-type"] == "application/cloudevents-batch+json"
    events = json.loads(first.body)
    assert [event["id"] for event in events] == [f"{topic}/0/{offset}" for offset in range(4)]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert [event.get("data") for event in events[:2]] == [{"n": 0}, {"n": 1}]
    contents = [
        base64.b64decode(event["data_base64"]) if "data_base64" in event else event["data"].encode()
        for event in events[2:]
    ]
    assert contents == [b"text", b"\xff\x00"]
    again = json.loads(second.body)
    assert [event["id"] for event in again] == [f"{topic}/0/1"]
    committed(desk, topic, 4)
    assert len(function.calls()) == 2


def test_an_answer_goes_to_the_response_topic_before_the_commit(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    answers = f"{topic}.answers"
    desk.create(answers)
    function.rules({"body": '{"done": true}', "headers": {"Content-Type": "application/json"}})
    desk.send(topic, Record(b"work", b"key-1", [("traceparent", TRACE.encode())]))
    consume(topic, responseTopic=answers)
    committed(desk, topic, 1)
    (answer,) = desk.read(answers)
    assert (answer.key, answer.value) == (b"key-1", b'{"done": true}')
    assert answer.header("content-type") == "application/json"
    assert answer.header("event-id") == f"{topic}/0/0"
    assert answer.header("traceparent").split("-")[1] == TRACE.split("-")[1]


def test_a_response_topic_that_is_missing_stops_the_commit(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    answers = f"{topic}.answers"
    function.rules({"body": "done"})
    desk.send(topic, Record(b"work", b"key-1"))
    consumer = consume(topic, responseTopic=answers)
    consumer.wait_for_problem("ResponseTopicUnavailable")
    assert desk.committed(group_of(topic), topic).get(0, -1) <= 0
    desk.create(answers)
    committed(desk, topic, 1, 60)
    assert desk.read(answers)[-1].value == b"done"
    assert len(function.calls()) == 1


def test_an_answer_that_is_too_large_for_its_topic_makes_a_dead_letter(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    answers = f"{topic}.answers"
    desk.create(answers, max_message_bytes="150")
    # Of no pattern: the producer compresses what it writes.
    function.rules({"body": os.urandom(500).hex()})
    desk.send(topic, Record(b"work", b"key-1"))
    consume(topic, responseTopic=answers)
    committed(desk, topic, 1)
    (letter,) = desk.read(f"{topic}.dlq")
    assert letter.value == b"work"
    assert "too large" in letter.header("kubeless-dlq-error")
    assert len(function.calls()) == 1
