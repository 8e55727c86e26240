"""Frames: how the command line and this program talk through an attached pod.

A frame is one line of JSON, an object, and then the bytes that it announces: its ``lengths`` has one
number for each body, or null for a body that is none (a record's key or value may be null). Lengths
are explicit because whoever attaches to a pod cannot close its standard input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

Body = bytes | None
Object = dict[str, Any]

MAX_LINE = 1024 * 1024
MAX_BODIES = 256 * 1024 * 1024


class FrameError(ValueError):
    """What came is no frame; the message says what was found."""


def encode(head: Object, bodies: Sequence[Body] = ()) -> bytes:
    """The bytes of a frame."""
    lengths = [None if body is None else len(body) for body in bodies]
    line = json.dumps({**head, "lengths": lengths} if bodies else head, separators=(",", ":"))
    return b"".join([line.encode(), b"\n", *(body for body in bodies if body)])


def read(stream: BinaryIO) -> tuple[Object, list[Body]] | None:
    """The next frame; None at the end of the stream. Raises FrameError."""
    line = stream.readline(MAX_LINE)
    if not line:
        return None
    if not line.endswith(b"\n"):
        raise FrameError(
            f"a line of {len(line)} bytes without an end; expected at most {MAX_LINE}"
            if len(line) >= MAX_LINE
            else "the input ended within a line"
        )
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a line that is not JSON: {error}") from None
    if not isinstance(head, dict):
        raise FrameError(f"{type(head).__name__} instead of a JSON object")
    return head, [_body(stream, length) for length in _lengths(head)]


def _lengths(head: Object) -> list[int | None]:
    lengths = head.pop("lengths", [])
    if not isinstance(lengths, list) or not all(
        length is None or (type(length) is int and length >= 0) for length in lengths
    ):
        raise FrameError("lengths that are not a list of numbers and nulls")
    total = sum(length or 0 for length in lengths)
    if total > MAX_BODIES:
        raise FrameError(f"bodies of {total} bytes; expected at most {MAX_BODIES}")
    return lengths


def _body(stream: BinaryIO, length: int | None) -> Body:
    if length is None:
        return None
    data = stream.read(length)
    if len(data) < length:
        raise FrameError(f"the input ended {length - len(data)} bytes before the end of a body")
    return data
