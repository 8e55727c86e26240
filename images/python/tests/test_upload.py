"""Bodies that come slowly or not to their end; what becomes of their calls."""

from __future__ import annotations

import socket
import time

import pytest

from .conftest import Serve, Server, eventually

LENGTH = "def handler(event, context):\n    return len(event['data'])\n"
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


def begun(server: Server, data: bytes) -> socket.socket:
    """A connection on which a request has begun."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    sock.sendall(data)
    return sock


def received(sock: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


def test_body_in_many_portions(serve: Serve) -> None:
    server = serve(LENGTH)
    with begun(server, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n") as sock:
        for _ in range(3000):
            sock.sendall(b"3\r\nabc\r\n")
        sock.sendall(b"0\r\n\r\n")
        assert received(sock).endswith(b"9000")


def test_empty_body_in_chunks_is_a_body(serve: Serve) -> None:
    server = serve(LENGTH)
    with begun(
        server, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ) as sock:
        assert received(sock).endswith(b"\r\n\r\n0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "start",
    [b"Content-Length: 10\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
    ids=["length", "chunks"],
)
def test_body_that_stays_away_costs_neither_worker_nor_slot(serve: Serve, start: bytes) -> None:
    server = serve(LENGTH, timeout=0.5, env={"FUNC_CONCURRENCY": "2"})
    workers = server.workers()
    for _ in range(3):
        with begun(server, HEAD + start) as one, begun(server, HEAD + start) as two:
            began = time.monotonic()
            for sock in (one, two):
                assert received(sock).startswith(b"HTTP/1.1 408 ")
            assert time.monotonic() - began < 5
    assert eventually(lambda: server.post("abc").text == "3")
    assert server.workers() == workers


@pytest.mark.slow
def test_refused_client_that_sends_no_more_costs_neither_worker_nor_slot(serve: Serve) -> None:
    server = serve(LENGTH, timeout=1, env={"FUNC_CONCURRENCY": "1", "FUNC_MEMFILE_MAX": "10"})
    workers = server.workers()
    with begun(server, HEAD + b"Content-Length: 11\r\n\r\nabc") as sock:
        assert received(sock).startswith(b"HTTP/1.1 413 ")
    assert eventually(lambda: server.post("abc").status == 200)
    assert server.workers() == workers


def test_client_that_leaves_frees_the_slot(serve: Serve) -> None:
    server = serve(LENGTH, env={"FUNC_CONCURRENCY": "1"})
    for _ in range(5):
        begun(server, HEAD + b"Content-Length: 10\r\n\r\nabc").close()
        assert eventually(lambda: server.post("abc").status == 200)
    assert server.metric("function_calls_total", method="POST") == 5


def test_header_with_an_underscore_does_not_pass_for_the_one_with_a_hyphen(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return [event['event-id']]\n")
    answer = server.raw(
        b"GET / HTTP/1.1\r\nHost: x\r\nevent_id: forged\r\nConnection: close\r\n\r\n", 5
    )
    assert answer.endswith(b"[null]")
