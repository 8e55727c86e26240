"""The records that `kubeless topic publish` was given, as frames; no cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubeless_cli.kafka_frames import Body, encode

CHUNK = 256 * 1024
# As much as one frame may hold; topics take less.
MAX_RECORD = 128 * 1024 * 1024
END = encode({"end": True})


class TooLong(ValueError):
    """A line without an end."""


@dataclass(frozen=True)
class Shape:
    """What every record has: its key when it brings none itself, and headers."""

    key: Body
    headers: tuple[tuple[str, str], ...]

    def frame(self, value: Body, key: Body = None) -> bytes:
        """The frame of one record."""
        names = [name for name, _ in self.headers]
        values = [value.encode("utf-8", "surrogateescape") for _, value in self.headers]
        head = {"headers": names} if names else {}
        return encode(head, [self.key if key is None else key, value, *values])


def one(shape: Shape, value: Body) -> Iterator[bytes]:
    """One record."""
    yield shape.frame(value)
    yield END


def lines(shape: Shape, pieces: Iterator[bytes], separator: bytes = b"") -> Iterator[bytes]:
    """Each line is a record, as soon as it is there; with `separator`, what is before its first use is the key.

    A line's end is \\n or \\r\\n; empty lines are none. Raises TooLong.
    """
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield b"".join(_line(shape, line, separator) for line in whole)
        if len(rest) > MAX_RECORD:
            raise TooLong(f"a line is longer than {MAX_RECORD // 2**20} MiB")
    yield _line(shape, rest, separator)
    yield END


def _line(shape: Shape, line: bytes, separator: bytes) -> bytes:
    line = line.removesuffix(b"\r")
    if not line:
        return b""
    if separator and separator in line:
        key, _, value = line.partition(separator)
        return shape.frame(value, key)
    return shape.frame(line)


def pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What `read` gives, piece by piece, until its end."""
    while piece := read(CHUNK):
        yield piece


def descriptor(number: int) -> Callable[[int], bytes]:
    """Reads from a file descriptor what is there, without waiting for more."""
    return lambda size: os.read(number, size)
