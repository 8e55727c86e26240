"""What a function gets of a record: headers and a body, in the original's form with CloudEvents beside it."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn
from urllib.parse import quote

from kubeless_kafka.record import Record

EVENT_NAMESPACE = "kafkatriggers.kubeless.io"
CE_TYPE = "io.kubeless.kafkatrigger.record"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# Servers limit what headers take, Node.js all together to 16 KiB: what does not fit is left out, and that is said.
MAX_HEADER_BYTES = 8 * 1024
# RFC 9110's tokens are what a header's name may be made of; `%` is the sign of the encoding itself.
_NAME_SAFE = "!#$&'*+-.^_`|~"
_VALUE_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}[ -~]{0,200}")

Pairs = list[tuple[str, str]]


def source(namespace: str, trigger: str) -> str:
    """The ce-source of a trigger: its path in the API."""
    return f"/apis/kubeless.io/v1beta1/namespaces/{namespace}/kafkatriggers/{trigger}"


def headers(record: Record, ce_source: str) -> Pairs:
    """The headers of a call with one record, whose body is the record's value."""
    content_type = JSON if is_object(record.value) else FORM
    seconds = timestamp(record)
    pairs = [
        ("event-id", record.id),
        ("event-type", content_type),
        ("event-time", event_time(seconds)),
        ("event-namespace", EVENT_NAMESPACE),
        ("event-topic", record.topic),
        ("Content-Type", content_type),
        ("ce-specversion", "1.0"),
        ("ce-id", record.id),
        ("ce-type", CE_TYPE),
        ("ce-source", ce_source),
        ("ce-time", rfc3339(seconds)),
        ("kafka-partition", str(record.partition)),
        ("kafka-offset", str(record.offset)),
    ]
    if record.timestamp is not None:
        pairs.append(("kafka-timestamp", str(record.timestamp)))
    if record.key is not None or record.headers:
        pairs += _own(record)
    return pairs


def _own(record: Record) -> Pairs:
    """The record's key and headers, as far as they fit."""
    pairs = traces(record)
    wanted = [] if record.key is None else [("kafka-key", encode(record.key))]
    wanted += [
        (f"kafka-header-{quote(name, safe=_NAME_SAFE)}", encode(value or b""))
        for name, value in record.headers
    ]
    room = MAX_HEADER_BYTES
    omitted = 0
    for name, text in wanted:
        room_after = room - len(name) - len(text) - 4
        if room_after < 0:
            omitted += 1
            continue
        room = room_after
        pairs.append((name, text))
    if omitted:
        pairs.append(("kafka-headers-omitted", str(omitted)))
    return pairs


def traces(record: Record) -> Pairs:
    """traceparent, and tracestate with it, of the record's headers."""
    found = {name.lower(): value for name, value in record.headers if value is not None}
    parent = found.get("traceparent")
    if parent is None or not _TRACEPARENT.fullmatch(parent):
        return []
    pairs = [("traceparent", parent.decode("ascii"))]
    state = found.get("tracestate")
    if state is not None and re.fullmatch(rb"[ -~]{1,512}", state):
        pairs.append(("tracestate", state.decode("ascii")))
    return pairs


def encode(value: bytes) -> str:
    """Printable ASCII as it is, all else and `%` percent-encoded, and a space at either end, which HTTP would cut off."""
    text = quote(value, safe=_VALUE_SAFE)
    if text[:1] == " ":
        text = "%20" + text[1:]
    if text[-1:] == " ":
        text = text[:-1] + "%20"
    return text


def timestamp(record: Record) -> float:
    """The record's time in seconds since 1970; now, when it has none."""
    return time.time() if record.timestamp is None else record.timestamp / 1000


def event_time(seconds: float) -> str:
    """As the original wrote it: `2021-01-01 10:00:00.123 +0000 UTC`, without zeros at the fraction's end."""
    (day, clock), millis = _split(seconds)
    fraction = f".{millis:03d}".rstrip("0") if millis else ""
    return f"{day} {clock}{fraction} +0000 UTC"


def rfc3339(seconds: float) -> str:
    """`2021-01-01T10:00:00.123Z`."""
    (day, clock), millis = _split(seconds)
    return f"{day}T{clock}.{millis:03d}Z"


def _split(seconds: float) -> tuple[tuple[str, str], int]:
    whole, millis = divmod(round(seconds * 1000), 1000)
    try:
        return _second(whole), millis
    except (OverflowError, ValueError, OSError):
        # A producer may write any number as its time: one that no calendar has shall not stop the record.
        return _second(0), 0


@lru_cache(maxsize=64)
def _second(whole: int) -> tuple[str, str]:
    """Date and time of day of a second since 1970. Records of one second come by the hundred."""
    at = datetime.fromtimestamp(whole, UTC)
    return f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}"


def is_object(value: bytes | None) -> bool:
    """Whether a value is a JSON object or JSON's null: what the original called JSON."""
    if not value:
        return False
    start = value[:64].lstrip(b" \t\r\n")[:1]
    # Most values that are not one are seen by their first byte.
    if start not in (b"{", b"n", b""):
        return False
    parsed, found = parse_json(value)
    return parsed and (found is None or isinstance(found, dict))


def parse_json(value: bytes) -> tuple[bool, object]:
    """Whether bytes are JSON in UTF-8, and what they say."""
    try:
        return True, _DECODER.decode(value.decode())
    except (ValueError, RecursionError):
        return False, None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# json.loads makes one anew for each call.
_DECODER = json.JSONDecoder(parse_constant=_refuse)
