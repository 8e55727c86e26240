"""A record from what the client hands out."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Message

from kubeless_kafka.record import Headers, Record

# What a record takes in memory beside its payload, about.
RECORD_BYTES = 400


def record(message: Message, topic: str, partition: int, offset: int) -> Record:
    kind, milliseconds = message.timestamp()
    key, value = _bytes(message.key()), _bytes(message.value())
    headers = _headers(message)
    size = len(key or b"") + len(value or b"") + RECORD_BYTES
    if headers:
        size += sum(len(name) + len(one or b"") for name, one in headers)
    return Record(
        topic, partition, offset, milliseconds if kind else None, key, value, headers, size
    )


def _headers(message: Message) -> Headers:
    found: Any = message.headers()
    return tuple(found) if found else ()


def _bytes(value: str | bytes | None) -> bytes | None:
    """The client's types allow for text, which comes only from its deserializers."""
    return value.encode() if isinstance(value, str) else value
