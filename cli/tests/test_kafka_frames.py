"""Frames as the command line reads and writes them, and the records it makes of what it is given."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kubeless_cli import kafka_frames, records
from kubeless_cli.kafka_frames import Decoder, encode
from kubeless_kafka.admin import frames

FRAMES: list[Any] = [
    ({"type": "item", "n": 1}, []),
    ({"type": "item"}, [b"\n{}\xff", None, b""]),
    ({"type": "end", "result": {"a": "\u00e4\u2028"}}, []),
]


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_frames_come_in_any_pieces(size: int) -> None:
    data = b"".join(encode(*frame) for frame in FRAMES)
    decoder, found = Decoder(), []
    for start in range(0, len(data), size):
        found += decoder.feed(data[start : start + size])
    assert found == FRAMES


def test_both_ends_speak_the_same() -> None:
    data = b"".join(encode(*frame) for frame in FRAMES)
    assert data == b"".join(frames.encode(*frame) for frame in FRAMES)
    stream = io.BytesIO(data)
    assert [frames.read(stream) for _ in FRAMES] == FRAMES


@pytest.mark.parametrize("data", [b"hello\n", b"[]\n", b'"x"\n'])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|instead of an object"):
        list(Decoder().feed(data))


def read_back(pieces: Any) -> list[Any]:
    return list(Decoder().feed(b"".join(pieces)))


PLAIN = records.Shape(None, ())


def test_one_record_has_key_and_headers() -> None:
    shape = records.Shape(b"k", (("a", "1"), ("b", "\u00e4")))
    assert read_back(records.one(shape, b"v")) == [
        ({"headers": ["a", "b"]}, [b"k", b"v", b"1", "\u00e4".encode()]),
        ({"end": True}, []),
    ]
    assert read_back(records.one(PLAIN, None))[0] == ({}, [None, None])


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_each_line_is_a_record(size: int) -> None:
    text = b"one\r\n\ntwo words\nlast"
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    found = read_back(records.lines(PLAIN, pieces))
    assert [bodies for _, bodies in found[:-1]] == [
        [None, b"one"],
        [None, b"two words"],
        [None, b"last"],
    ]
    assert found[-1][0] == {"end": True}


def test_a_line_may_bring_its_key() -> None:
    shape = records.Shape(b"default", ())
    text = b"a::b::c\n::empty key\nno separator\nd::\n"
    found = read_back(records.lines(shape, iter([text]), b"::"))
    assert [bodies for _, bodies in found[:-1]] == [
        [b"a", b"b::c"],
        [b"", b"empty key"],
        [b"default", b"no separator"],
        [b"d", b""],
    ]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD", 2**20)
    with pytest.raises(records.TooLong, match="a line is longer than 1 MiB"):
        list(records.lines(PLAIN, iter([b"x" * 2**19] * 3)))


def test_no_frame_is_left_out_by_its_size() -> None:
    assert frames.MAX_BODIES >= records.MAX_RECORD
    assert kafka_frames.encode({"end": True}) == records.END
