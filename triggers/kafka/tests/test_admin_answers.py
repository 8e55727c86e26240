"""The admin program without a broker: requests that can't be, and the sentences for Kafka's errors."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from kubeless_kafka.admin import frames
from kubeless_kafka.admin.__main__ import serve
from kubeless_kafka.admin.failure import _SENTENCES, failure_of

NOWHERE = Path("/nonexistent")


def answered(data: bytes) -> list[Any]:
    """The heads of the answers to these bytes."""
    out = io.BytesIO()
    code = serve(io.BytesIO(data), out, NOWHERE, NOWHERE)
    out.seek(0)
    found = []
    while (frame := frames.read(out)) is not None:
        found.append(frame[0])
    return [code, *found]


def request(**fields: Any) -> bytes:
    return frames.encode({"version": 1, "connection": {"bootstrapServers": "h:1"}, **fields})


@pytest.mark.parametrize(
    ("data", "reason", "message"),
    [
        (b"hello\n", "ProtocolError", "not JSON"),
        (request(operation="nonsense"), "UnknownOperation", "no operation 'nonsense'"),
        (request(version=2), "VersionMismatch", "version 2 of the protocol, this image version 1"),
        (
            request(operation="topic.list", connection={}),
            "InvalidRequest",
            "KeyError('bootstrapServers')",
        ),
        (
            request(
                operation="topic.list",
                connection={
                    "bootstrapServers": "h:1",
                    "protocol": "SASL_SSL",
                    "mechanism": "PLAIN",
                },
            ),
            "AuthenticationFailed",
            "no readable key username",
        ),
    ],
)
def test_a_request_that_cannot_be_is_answered(data: bytes, reason: str, message: str) -> None:
    code, end = answered(data)
    assert (code, end["type"], end["error"]["reason"]) == (0, "end", reason)
    assert message in end["error"]["message"]


def test_no_request_has_no_answer() -> None:
    assert answered(b"") == [1]


def test_every_sentence_names_what_was_asked() -> None:
    for code in _SENTENCES:
        failure = failure_of(KafkaError(code, "the broker's words."), "topic 'orders'")
        assert failure.reason
        assert failure.message.endswith(".")
        assert "{" not in failure.message
        assert ".." not in failure.message.replace("'.'", "")


def test_an_error_without_a_sentence_says_what_kafka_said() -> None:
    failure = failure_of(KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER), "record 3")
    assert failure.reason == "KafkaError"
    assert "record 3" in failure.message
    assert "OUT_OF_ORDER_SEQUENCE_NUMBER" in failure.message


def test_braces_in_the_brokers_words_stay() -> None:
    failure = failure_of(KafkaError(KafkaError.INVALID_CONFIG, "found {x}"), "topic 'a'")
    assert "found {x}" in failure.message
