"""Streams that end in another way than by their last chunk: what becomes of worker and slot."""

from __future__ import annotations

import http.client
import socket

import pytest

from .conftest import Serve, Server, eventually

STREAMS = """
    import asyncio, time
    ended = []
    def failing():
        yield "part"
        raise ValueError("half-way")
    def waiting():
        try:
            yield "part"
            while True:
                time.sleep(0.01)
        finally:
            ended.append("waiting")
    def endless():
        try:
            while True:
                yield b"x" * 65536
        finally:
            ended.append("endless")
    async def endless_async():
        try:
            while True:
                await asyncio.sleep(0)
                yield b"x" * 65536
        finally:
            ended.append("endless_async")
    def handler(event, context):
        name = event["data"].decode()
        return ended if name == "ended" else globals()[name]()
"""


def ask(server: Server, name: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    sock.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name.encode())
    )
    return sock


def ended(server: Server) -> list[str]:
    reply = server.post("ended")
    return list(reply.json()) if reply.status == 200 else []


def test_stream_that_fails_costs_neither_worker_nor_slot(serve: Serve) -> None:
    server = serve(STREAMS, env={"FUNC_CONCURRENCY": "1"})
    workers = server.workers()
    for _ in range(3):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            server.post("failing")
    assert eventually(lambda: server.post("ended").status == 200)
    assert server.workers() == workers
    assert server.metric("function_failures_total", method="POST") == 3


@pytest.mark.parametrize("name", ["endless", "endless_async"])
def test_client_that_leaves_ends_the_iterator_and_frees_the_slot(serve: Serve, name: str) -> None:
    server = serve(STREAMS, env={"FUNC_CONCURRENCY": "1"})
    workers = server.workers()
    with ask(server, name) as sock:
        assert sock.recv(1000)
    assert eventually(lambda: name in ended(server))
    assert server.workers() == workers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["waiting", "endless", "endless_async"])
def test_stream_that_outlives_its_time_costs_neither_worker_nor_slot(
    serve: Serve, name: str
) -> None:
    """Also when its client takes nothing of it."""
    server = serve(STREAMS, timeout=1, env={"FUNC_CONCURRENCY": "1"})
    workers = server.workers()
    with ask(server, name):
        assert eventually(lambda: name in ended(server))
    assert server.workers() == workers
    assert server.metric("function_failures_total", method="POST") == 1
