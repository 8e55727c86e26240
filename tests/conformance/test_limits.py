"""How large a body may be, how slow a client, how many calls at once."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.client import Client, eventually, statuses

MEBIBYTE = 1024 * 1024


@pytest.fixture
def small(shared: Any) -> Client:
    """Takes bodies of ten bytes."""
    client: Client = shared("failures", env={"FUNC_MEMFILE_MAX": "10"})
    return client


def test_body_up_to_the_limit(small: Client) -> None:
    assert small.post("x" * 10).text == "ok"
    reply = small.post("x" * 11)
    assert reply.status == 413
    assert "larger than 10 bytes" in reply.text


def test_body_over_the_limit_is_refused_before_it_is_sent(small: Client) -> None:
    announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    reply = small.raw(announced, timeout=2, until=b"bytes")  # not one byte of it is sent
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 10 bytes" in reply


def test_chunked_body_over_the_limit(small: Client) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = small.raw(head + b"14\r\n" + b"x" * 20 + b"\r\n", timeout=2, until=b"bytes")
    assert reply.startswith(b"HTTP/1.1 413 ")


def test_refused_body_is_no_call(small: Client) -> None:
    before = small.metrics()
    assert small.post("x" * 11).status == 413
    calls = ("function_calls_total", "function_failures_total")
    for key, value in small.metrics().items():
        if key[0] in calls:
            assert value == before.get(key, 0)


def test_connection_is_closed_after_a_refused_body(small: Client) -> None:
    """What follows must not be taken for a request."""
    received = small.raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 64\r\n\r\n"
        b"GET /in-the-body HTTP/1.1\r\nHost: x\r\n\r\n".ljust(64, b"x")
        + b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n",
        timeout=3,
    )
    assert statuses(received)[0] == 413
    assert 200 not in statuses(received)


def test_limit_in_mebibytes(shared: Any) -> None:
    server = shared("failures", env={"REQ_MB_LIMIT": "1"})
    assert server.post(b"x" * MEBIBYTE).text == "ok"
    for _ in range(5):
        assert server.post(b"x" * (MEBIBYTE + 1)).status == 413
    assert server.post(b"x" * (5 * MEBIBYTE)).status == 413


def test_limit_in_bytes_comes_before_that_in_mebibytes(shared: Any) -> None:
    server = shared("failures", env={"REQ_MB_LIMIT": "1", "FUNC_MEMFILE_MAX": "20"})
    assert (server.post("x" * 20).status, server.post("x" * 21).status) == (200, 413)


@pytest.mark.slow
def test_default_limit_is_a_hundred_mebibytes(start: Any) -> None:
    server = start("failures")
    assert server.post(b"x" * (100 * MEBIBYTE)).text == "ok"
    announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    reply = server.raw(announced % (100 * MEBIBYTE + 1), timeout=2, until=b"bytes")
    assert reply.startswith(b"HTTP/1.1 413 ")


def test_stalled_client_of_a_refused_body_keeps_nobody_waiting(start: Any) -> None:
    server = start("failures", env={"FUNC_MEMFILE_MAX": "10"}, timeout=1)
    announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nabc"
    for _ in range(2):
        assert server.raw(announced, timeout=3).startswith(b"HTTP/1.1 413 ")
        assert server.get().text == "ok"
    assert server.metric("function_failures_total", method="POST") == 0


def test_incomplete_body_does_not_reach_the_handler(start: Any) -> None:
    server = start("failures")
    for _ in range(5):
        with server.socket() as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert server.get().text == "ok"
    assert server.metric("function_calls_total", method="POST") == 0


def test_slow_upload_is_408(start: Any) -> None:
    server = start("failures", timeout=1)
    began = time.monotonic()
    with server.run_queue() as queue:
        reply = server.raw(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
            timeout=5,
            until=b"exceeded",
        )
    seconds = time.monotonic() - began
    assert reply.startswith(b"HTTP/1.1 408 ")
    assert seconds >= 1
    assert seconds - queue.seconds < 1.5
    assert server.get().text == "ok"


@pytest.mark.slow
def test_client_that_never_ends_its_headers_is_dropped(start: Any) -> None:
    server = start("failures")
    with server.socket(timeout=70) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while sock.recv(4096):
                pass
        assert time.monotonic() - began < 65


def test_over_the_concurrency_limit_is_503_with_retry_after(start: Any) -> None:
    server = start("busy", env={"FUNC_CONCURRENCY": "2"})
    replies = server.parallel(8, "POST", body="0.5")
    assert {reply.status for reply in replies} == {200, 503}
    assert max(reply.json() for reply in replies if reply.status == 200) <= 2
    refused = [reply for reply in replies if reply.status == 503]
    assert all(reply.headers["retry-after"] == "1" for reply in refused)
    # Refused at once, not after a wait for those that run.
    assert min(reply.seconds for reply in refused) < min(
        reply.seconds for reply in replies if reply.status == 200
    )
    assert server.get().status == 200


def test_concurrency_of_one(start: Any) -> None:
    server = start("busy", env={"FUNC_CONCURRENCY": "1"})
    for _ in range(3):
        replies = server.parallel(6)
        assert {reply.status for reply in replies} == {200, 503}
        assert {reply.json() for reply in replies if reply.status == 200} == {1}


def test_probes_are_answered_while_every_place_is_taken(start: Any) -> None:
    server = start("busy", env={"FUNC_CONCURRENCY": "1"})
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(server.post, "1.5") for _ in range(8)]
        eventually(lambda: any(call.done() for call in calls), "the place is taken, others refused")
        assert server.get().status == 503
        assert server.get("/healthz").status == 200
        assert server.get("/metrics").status == 200
        assert sorted(call.result().status for call in calls) == [200] + [503] * 7


def test_no_limit_by_default(start: Any) -> None:
    replies = start("busy").parallel(60)
    assert {reply.status for reply in replies} == {200}
    assert max(reply.json() for reply in replies) > 20


@pytest.mark.process("KUBELESS_WORKERS is not a Function's to set")
def test_concurrency_is_of_all_workers_together(start: Any) -> None:
    server = start("busy", env={"FUNC_CONCURRENCY": "3", "KUBELESS_WORKERS": "2"})
    for _ in range(2):  # the second time with the places that the first gave back
        with ThreadPoolExecutor(12) as pool:  # long enough for all of them to run beside each other
            replies = list(pool.map(lambda _: server.post("1.5"), range(12)))
        assert 1 <= sum(reply.status == 200 for reply in replies) <= 3
