"""Answers that are made while they are sent."""

from __future__ import annotations

import contextlib
import http.client
from typing import Any

import pytest

from conformance.client import BROKEN, Client, eventually, receive, statuses


@pytest.fixture
def streams(start: Any) -> Client:
    """A server of the test's own: its handlers wait for what only one test gives them."""
    client: Client = start("streams", timeout=10)
    return client


def test_first_byte_comes_before_the_last_is_made(streams: Client) -> None:
    with contextlib.closing(streams.connection(10)) as connection:
        connection.request("GET", "/waiting")
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("transfer-encoding") == "chunked"
        assert response.getheader("content-length") is None
        assert response.read(5) == b"first"  # while the handler still waits
        assert streams.get("/go").text == "gone"
        assert response.read().decode() == "second é"


def test_connection_is_kept_after_a_stream(streams: Client) -> None:
    assert streams.get("/go").status == 200
    request = b"GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /go HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = streams.raw(request * 3 + last, timeout=10)
    assert statuses(received) == [200] * 4


def test_stream_that_fails_is_cut_off_not_ended(streams: Client) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        streams.get("/failing")
    assert "half-way" in eventually(streams.output, "the log says why")  # type: ignore[attr-defined]
    assert eventually(lambda: _answers(streams), "the server is well")
    assert streams.metric("function_failures_total", method="GET") == 1


def test_client_that_leaves_ends_the_stream(streams: Client) -> None:
    with streams.socket() as sock:
        sock.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(receive(sock, until=b"xxxx")) > 0
    assert eventually(lambda: streams.get("/closed").text == "1", "the stream is closed")


def test_slow_reader_keeps_nobody_waiting(streams: Client) -> None:
    """And the server does not make what nobody takes: an endless stream stays within its buffers."""
    with streams.socket() as sock:
        sock.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        # Those that wait for the reader would wait for as long as a call may run, which is 10 s.
        assert all(streams.get("/closed").seconds < 5 for _ in range(20))


def test_head_of_a_stream(streams: Client) -> None:
    assert streams.get("/go").status == 200
    reply = streams.request("HEAD", "/waiting")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.slow
def test_stream_that_outlives_its_time_is_cut_off(start: Any) -> None:
    server = start("streams", timeout=1)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        server.get("/waiting")
    assert eventually(lambda: _answers(server), "the server is well")
    assert server.metric("function_failures_total", method="GET") == 1


def _answers(server: Client) -> bool:
    try:
        return server.get("/closed").status == 200
    except BROKEN:
        return False
