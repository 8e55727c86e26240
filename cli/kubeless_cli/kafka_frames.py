"""Frames, as the admin program in the consumer's image speaks them through an attached pod; pure.

A frame is one line of JSON, an object, and then the bytes that it announces: its ``lengths`` has one
number for each body, or null for a body that is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Body = bytes | None
Object = dict[str, Any]
Frame = tuple[Object, list[Body]]


def encode(head: Object, bodies: Sequence[Body] = ()) -> bytes:
    """The bytes of a frame."""
    lengths = [None if body is None else len(body) for body in bodies]
    line = json.dumps({**head, "lengths": lengths} if bodies else head, separators=(",", ":"))
    return b"".join([line.encode(), b"\n", *(body for body in bodies if body)])


class Decoder:
    """Makes frames of bytes that come in any pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._head: tuple[Object, list[int | None]] | None = None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with `data`. Raises ValueError for what is no frame."""
        self._rest += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        if self._head is None:
            end = self._rest.find(b"\n")
            if end < 0:
                return None
            head = json.loads(self._rest[:end])
            if not isinstance(head, dict):
                raise ValueError(f"found {type(head).__name__} instead of an object")
            del self._rest[: end + 1]
            self._head = head, head.pop("lengths", [])
        head, lengths = self._head
        if len(self._rest) < sum(length or 0 for length in lengths):
            return None
        bodies: list[Body] = []
        for length in lengths:
            bodies.append(None if length is None else bytes(self._rest[:length]))
            del self._rest[: length or 0]
        self._head = None
        return head, bodies
