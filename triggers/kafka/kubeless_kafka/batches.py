"""Several records in one call: CloudEvents' batch format, and what the answer says of each of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from urllib.parse import urlencode

from kubeless_kafka import event
from kubeless_kafka.record import Record

CONTENT_TYPE = "application/cloudevents-batch+json"


class AnswerError(Exception):
    """The answer to a batch cannot be understood; the message says what was found and what is expected."""


def headers(records: Sequence[Record]) -> event.Pairs:
    """The headers of a call with a batch: all of one partition."""
    first, last = records[0], records[-1]
    return [
        ("event-id", f"{first.id}-{last.offset}"),
        ("event-type", CONTENT_TYPE),
        ("event-time", event.event_time(event.timestamp(last))),
        ("event-namespace", event.EVENT_NAMESPACE),
        ("event-topic", first.topic),
        ("Content-Type", CONTENT_TYPE),
        ("kafka-partition", str(first.partition)),
    ]


def body(records: Sequence[Record], ce_source: str) -> bytes:
    """The JSON array of events, in the order of the records."""
    return b"[" + b",".join(_event(record, ce_source) for record in records) + b"]"


def _event(record: Record, ce_source: str) -> bytes:
    """One event. A value that is JSON is put in as it is written: it need not be parsed and written again."""
    attributes: dict[str, str | int] = {
        "specversion": "1.0",
        "id": record.id,
        "type": event.CE_TYPE,
        "source": ce_source,
        "time": event.rfc3339(event.timestamp(record)),
        "kafkatopic": record.topic,
        "kafkapartition": record.partition,
        "kafkaoffset": str(record.offset),
    }
    if record.key is not None:
        attributes["kafkakey"] = event.encode(record.key)
    if record.timestamp is not None:
        attributes["kafkatimestamp"] = str(record.timestamp)
    if record.headers:
        attributes["kafkaheaders"] = urlencode(
            [(name, value or b"") for name, value in record.headers]
        )
        attributes.update(event.traces(record))
    data = b""
    if record.value is not None:
        if event.parse_json(record.value)[0]:
            attributes["datacontenttype"] = event.JSON
            data = b',"data":' + record.value
        else:
            attributes["datacontenttype"] = "application/octet-stream"
            data = b',"data_base64":"' + base64.b64encode(record.value) + b'"'
    return json.dumps(attributes).encode()[:-1] + data + b"}"


def failed(answer: bytes, count: int) -> frozenset[int]:
    """The indexes that a 2xx answer to ``count`` records names as failed: ``{"failed": [0, 7]}``.

    An answer that is no JSON object, or has no ``failed``, names none. Raises AnswerError when ``failed`` is something else
    than a list of indexes: to take it for success could lose records.
    """
    if b'"failed"' not in answer:
        return frozenset()
    parsed, document = event.parse_json(answer)
    if not parsed and answer.lstrip()[:1] == b"{":
        # Python writes NaN, which is no JSON: what it names must not be passed over.
        raise AnswerError(
            'found an answer with "failed" that is no JSON, expected {"failed": [indexes]}'
        )
    if not parsed or not isinstance(document, dict) or "failed" not in document:
        return frozenset()
    found = document["failed"]
    if not isinstance(found, list) or not all(
        isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count
        for index in found
    ):
        raise AnswerError(
            f"failed: found {json.dumps(found)[:80]}, expected a list of indexes from 0 to {count - 1}"
        )
    return frozenset(found)
