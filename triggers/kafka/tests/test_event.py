"""What a function gets of a record."""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeless_kafka import batches, event
from kubeless_kafka.record import Headers, Record

TIME = 1609495200123
SOURCE = event.source("default", "orders")


def record(
    value: bytes | None = b'{"a": 1}',
    key: bytes | None = None,
    headers: Headers = (),
    timestamp: int | None = TIME,
    offset: int = 7,
) -> Record:
    return Record("orders", 2, offset, timestamp, key, value, headers, 10)


def test_the_originals_headers_and_cloudevents_beside_them() -> None:
    assert dict(event.headers(record(), SOURCE)) == {
        "event-id": "orders/2/7",
        "event-type": "application/json",
        "event-time": "2021-01-01 10:00:00.123 +0000 UTC",
        "event-namespace": "kafkatriggers.kubeless.io",
        "event-topic": "orders",
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "orders/2/7",
        "ce-type": "io.kubeless.kafkatrigger.record",
        "ce-source": "/apis/kubeless.io/v1beta1/namespaces/default/kafkatriggers/orders",
        "ce-time": "2021-01-01T10:00:00.123Z",
        "kafka-partition": "2",
        "kafka-offset": "7",
        "kafka-timestamp": str(TIME),
    }


@pytest.mark.parametrize(
    ("value", "json_type"),
    [
        (b'{"a": 1}', True),
        (b' \n{"a": 1}', True),
        (b"null", True),
        (b"[1]", False),
        (b"1", False),
        (b'"text"', False),
        (b'{"a": }', False),
        (b'{"a": NaN}', False),
        (b'{"a": "\xff"}', False),
        (b"{" * 100000, False),
        (b'{"a":' + b"[" * 100000, False),
        (b"nothing", False),
        (b"", False),
        (None, False),
    ],
)
def test_the_content_type_is_by_content(value: bytes | None, json_type: bool) -> None:
    found = dict(event.headers(record(value), SOURCE))
    wanted = event.JSON if json_type else event.FORM
    assert (found["Content-Type"], found["event-type"]) == (wanted, wanted)


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (TIME, "2021-01-01 10:00:00.123 +0000 UTC"),
        (TIME - 3, "2021-01-01 10:00:00.12 +0000 UTC"),
        (TIME - 123, "2021-01-01 10:00:00 +0000 UTC"),
        (-1, "1969-12-31 23:59:59.999 +0000 UTC"),
        (2**62, "1970-01-01 00:00:00 +0000 UTC"),
    ],
)
def test_event_time_is_in_the_originals_form(millis: int, text: str) -> None:
    assert event.event_time(millis / 1000) == text


def test_a_record_without_a_time_has_no_kafka_timestamp() -> None:
    assert "kafka-timestamp" not in dict(event.headers(record(timestamp=None), SOURCE))


def test_null_key_is_absent_and_an_empty_one_is_there() -> None:
    assert "kafka-key" not in dict(event.headers(record(), SOURCE))
    assert dict(event.headers(record(key=b""), SOURCE))["kafka-key"] == ""


@given(st.binary(max_size=40))
def test_any_bytes_survive_as_a_header(value: bytes) -> None:
    text = event.encode(value)
    assert text.isascii()
    assert text.isprintable()
    assert text == text.strip()
    assert unquote_to_bytes(text) == value


def test_names_of_headers_are_encoded_and_repeats_are_kept() -> None:
    pairs = event.headers(record(headers=(("a b", b"1"), ("a b", b"2"), ("ü:", None))), SOURCE)
    own = [pair for pair in pairs if pair[0].startswith("kafka-header-")]
    assert own == [
        ("kafka-header-a%20b", "1"),
        ("kafka-header-a%20b", "2"),
        ("kafka-header-%C3%BC%3A", ""),
    ]


def test_headers_that_do_not_fit_are_counted() -> None:
    found = dict(event.headers(record(headers=(("a", b"x" * 9000), ("b", b"1"))), SOURCE))
    assert found["kafka-headers-omitted"] == "1"
    assert found["kafka-header-b"] == "1"
    assert "kafka-header-a" not in found


def test_traceparent_is_passed_on_when_it_is_one() -> None:
    parent = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
    found = dict(event.headers(record(headers=(("traceparent", parent),)), SOURCE))
    assert found["traceparent"] == parent.decode()
    bad = dict(event.headers(record(headers=(("traceparent", b"x\r\ny: z"),)), SOURCE))
    assert "traceparent" not in bad


def test_a_batch_is_cloudevents_in_order() -> None:
    records = [
        record(b'{"a": "\xc3\xbc"}', key=b"k\x00", headers=(("h", b"1"), ("h", b"2"))),
        record(b"[1]", offset=8),
        record(b"\xff", offset=9),
        record(None, offset=10, timestamp=None),
    ]
    first, second, third, fourth = json.loads(batches.body(records, SOURCE))
    assert first["data"] == {"a": "ü"}
    assert (first["id"], first["kafkakey"], first["kafkapartition"]) == ("orders/2/7", "k%00", 2)
    assert (first["kafkaoffset"], first["kafkaheaders"]) == ("7", "h=1&h=2")
    assert (second["data"], second["datacontenttype"]) == ([1], "application/json")
    assert base64.b64decode(third["data_base64"]) == b"\xff"
    assert not {"data", "data_base64", "kafkatimestamp"} & fourth.keys()
    assert dict(batches.headers(records))["Content-Type"] == "application/cloudevents-batch+json"


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (b"", set()),
        (b"ok", set()),
        (b"[1]", set()),
        (b'{"failed": []}', set()),
        (b'{"failed": [0, 2]}', {0, 2}),
        (b'[{"failed": 1}]', set()),
    ],
)
def test_the_answer_to_a_batch_names_what_failed(answer: bytes, failed: set[int]) -> None:
    assert batches.failed(answer, 3) == failed


def test_an_answer_that_is_no_json_but_names_failed_is_no_success() -> None:
    with pytest.raises(batches.AnswerError, match="no JSON"):
        batches.failed(b'{"failed": [1], "score": NaN}', 3)


@pytest.mark.parametrize("found", [b"3", b"[3]", b"[-1]", b"[true]", b'["0"]', b"null", b"[1.0]"])
def test_an_answer_that_cannot_be_meant_is_no_success(found: bytes) -> None:
    with pytest.raises(batches.AnswerError, match="expected a list of indexes from 0 to 2"):
        batches.failed(b'{"failed": ' + found + b"}", 3)
