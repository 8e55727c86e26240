"""Frames of the admin program: what is written is read again, and what is none is said."""

from __future__ import annotations

import io

import pytest

from kubeless_kafka.admin import frames


@pytest.mark.parametrize(
    ("head", "bodies"),
    [
        ({"a": 1}, []),
        ({"headers": ["x"]}, [b"key", None, b""]),
        ({}, [b"\n\x00\xff" * 1000, b"{}\n"]),
        ({"text": "\u00e4\n\u2028"}, [None]),
    ],
)
def test_what_is_written_is_read(head: dict[str, object], bodies: list[bytes | None]) -> None:
    stream = io.BytesIO(frames.encode(head, bodies) * 2)
    assert [frames.read(stream) for _ in range(3)] == [(head, bodies), (head, bodies), None]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"{}", "ended within a line"),
        (b"hello\n", "not JSON"),
        (b"[]\n", "list instead of a JSON object"),
        (b'{"lengths": [5]}\nabc', "ended 2 bytes before the end"),
        (b'{"lengths": [-1]}\n', "not a list of numbers"),
        (b'{"lengths": [true]}\n', "not a list of numbers"),
        (b'{"lengths": 3}\n', "not a list of numbers"),
        (b'{"lengths": [999999999]}\n', "999999999 bytes; expected at most"),
        (b"x" * (2 * 1024 * 1024), "without an end"),
        (b"[" * 100_000 + b"\n", "not JSON"),
    ],
)
def test_what_is_no_frame_is_said(data: bytes, found: str) -> None:
    with pytest.raises(frames.FrameError, match=found):
        frames.read(io.BytesIO(data))
