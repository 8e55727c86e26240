"""The access log's thread: whole lines, in time, none waited for."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterator

import pytest

from kubeless_runtime import access

from .conftest import eventually

ENVIRON = {
    "REMOTE_ADDR": "::ffff:10.0.0.1", "REQUEST_METHOD": "GET", "PATH_INFO": "/a",
    "QUERY_STRING": "b=c", "SERVER_PROTOCOL": "HTTP/1.1",
}  # fmt: skip


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def read(descriptor: int) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], 0)
    return os.read(descriptor, 1 << 20) if ready else b""


def test_line_of_a_request(pipe: tuple[int, int]) -> None:
    log = access.AccessLog(pipe[1])
    log.write({**ENVIRON, "HTTP_USER_AGENT": 'a"b\n'}, 200, 11, 1.5)
    line = eventually(lambda: read(pipe[0])).decode()
    before, _, after = line.partition("] ")
    assert before.startswith("10.0.0.1 - - [")
    assert after == '"GET /a?b=c HTTP/1.1" 200 11 "" "a\\x22b\\x0a" 1/1500000\n'


def test_lines_of_many_threads_come_once_and_whole(pipe: tuple[int, int]) -> None:
    log = access.AccessLog(pipe[1])
    pieces: list[bytes] = []

    def collect() -> None:
        while piece := os.read(pipe[0], 1 << 20):
            pieces.append(piece)

    def write(number: int) -> None:
        for n in range(500):
            log.write({**ENVIRON, "PATH_INFO": f"/{number}-{n}"}, 200, 0, 0.0)

    reader = threading.Thread(target=collect)
    reader.start()
    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    log.flush()
    os.close(pipe[1])
    reader.join()
    lines = b"".join(pieces).decode().splitlines()
    seen = [line.split()[6].partition("?")[0] for line in lines]
    assert sorted(seen) == sorted(f"/{number}-{n}" for number in range(8) for n in range(500))


def test_no_write_is_longer_than_a_pipe_keeps_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def put(descriptor: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    log = access.AccessLog(-1)
    with monkeypatch.context() as patch:
        patch.setattr(access.os, "write", put)
        with log._writing:  # the log's own thread waits meanwhile
            for _ in range(200):
                log.write(ENVIRON, 200, 0, 0.0)
            log.write({**ENVIRON, "PATH_INFO": "x" * 10_000}, 200, 0, 0.0)
        log.flush()
        eventually(lambda: b"".join(written).count(b"\n") == 201)
    assert all(piece.endswith(b"\n") for piece in written)
    assert all(len(piece) <= select.PIPE_BUF or piece.count(b"\n") == 1 for piece in written)
    assert len(written) < 20


def test_log_that_nobody_reads_keeps_nobody_waiting(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MAX_LINES", 100)
    log = access.AccessLog(pipe[1])
    count = 0
    while not log._dropped:  # the pipe is full, and then the log
        log.write(ENVIRON, 200, 0, 0.0)
        count += 1
        assert count < 100_000
    received = b""

    def told() -> bool:
        nonlocal received
        received += read(pipe[0])
        return b"lines of the access log were dropped" in received

    eventually(told)
    time.sleep(0)
    said = int(received.decode().rpartition("kubeless: ")[2].split()[0])
    assert received.count(b"GET /a") + said == count


def test_closed_descriptor_is_no_error(pipe: tuple[int, int]) -> None:
    log = access.AccessLog(pipe[1])
    os.close(pipe[0])
    log.write(ENVIRON, 200, 0, 0.0)
    eventually(lambda: not log._lines)
    log.flush()
