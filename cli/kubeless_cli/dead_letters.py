"""Dead letters as commands show them; pure."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any

from kubeless_cli.kafka_frames import Body

Object = dict[str, Any]

PLACE = re.compile(r"(\d{1,9})[/:](\d{1,18})")
COLUMNS = ["RECORD", "TIME", "KEY", "FROM", "ATTEMPTS", "STATUS", "ERROR"]
WIDE_COLUMNS = [*COLUMNS, "FUNCTION", "SIZE", "SENT AGAIN"]


def place(value: str) -> tuple[int, int]:
    """`PARTITION/OFFSET`. Raises ValueError."""
    match = PLACE.fullmatch(value)
    if match is None:
        raise ValueError(f"'{value}' is not a record: expected PARTITION/OFFSET, such as 0/42.")
    return int(match[1]), int(match[2])


def time_of(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the second."""
    if milliseconds < 0:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(body: Body) -> str:
    """A body as text where it is text; "<null>", or how many bytes it is, where it is not."""
    if body is None:
        return "<null>"
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>"


def origin(letter: Object) -> str:
    """`topic/partition/offset` that a dead letter came from; "" when it does not say."""
    return "/".join(letter[key] for key in ("topic", "partition", "offset") if letter.get(key))


def row(record: Object, key: Body, *, wide: bool) -> list[str]:
    """One record's cells."""
    letter = record["deadLetter"]
    cells = [
        f"{record['partition']}/{record['offset']}",
        time_of(record["timestamp"]),
        text_of(key),
        origin(letter),
        *(letter.get(name, "") for name in ("attempts", "status", "error")),
    ]
    if wide:
        cells += [
            letter.get("function", ""),
            str(record["size"]),
            "yes" if record["sent"] else "no",
        ]
    return cells


def as_object(record: Object, bodies: list[Body]) -> Object:
    """A record for -o yaml and json: bodies that are no text are in base64, under another name."""
    found = {
        "partition": record["partition"],
        "offset": record["offset"],
        "time": time_of(record["timestamp"]),
        "sentAgain": record["sent"],
        "size": record["size"],
        "deadLetter": record["deadLetter"],
        **_body("key", bodies[0]),
    }
    if "headers" in record:
        found |= _body("value", bodies[1])
        found["headers"] = [
            {"name": name, **_body("value", body)}
            for name, body in zip(record["headers"], bodies[2:], strict=True)
        ]
    return found


def _body(name: str, body: Body) -> Object:
    if body is None:
        return {name: None}
    try:
        return {name: body.decode()}
    except UnicodeDecodeError:
        return {f"{name}Base64": base64.b64encode(body).decode()}
