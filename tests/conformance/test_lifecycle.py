"""SIGTERM, and workers that die."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.client import BROKEN, eventually, exchange
from conformance.languages import Language

pytestmark = pytest.mark.process("a pod's signals and processes belong to its kubelet")


def answers(server: Any) -> bool:
    try:
        return server.get().status == 200
    except BROKEN:
        return False


def test_sigterm_drains(start: Any) -> None:
    server = start("busy", env={"KUBELESS_DRAIN_DELAY": "0.8"})
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(server.post, "1.6")
        eventually(lambda: server.get().json() == 2, "the long call runs")
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        eventually(lambda: server.get("/healthz").status == 503, "it is not ready any more")
        during = server.post("0.001")
        assert (during.status, during.headers["connection"]) == (200, "close")
        eventually(lambda: not answers(server), "it accepts no more")
        assert time.monotonic() - began >= 0.8
        assert server.process.poll() is None  # the long call still runs
        assert long.result().status == 200
    assert server.wait() == 0


def test_sigterm_without_requests_exits_0_at_once(start: Any) -> None:
    server = start("echo")
    with server.socket(), contextlib.closing(server.connection()) as kept:
        assert exchange(kept).status == 200  # connections without a request are nobody's work
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < server.timeout / 2  # not when a call would be over


def test_second_sigterm_changes_nothing(start: Any) -> None:
    server = start("busy", env={"KUBELESS_DRAIN_DELAY": "0.3"})
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(server.post, "1")
        eventually(lambda: server.get().json() == 2, "the call runs")
        for _ in range(3):
            server.signal(signal.SIGTERM)
        assert call.result().status == 200
    assert server.wait() == 0


def test_sigterm_lets_a_stuck_call_have_its_time(start: Any) -> None:
    server = start("work", timeout=1)
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(server.post, "sleep")
        eventually(lambda: server.metric("function_calls_total", method="GET") or server.get(), "")
        assert server.stop() == 0
        assert stuck.result().status == 408


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True], ids=["new connections", "kept connections"])
def test_sigterm_under_load_loses_nothing(start: Any, kept: bool) -> None:
    """Every request that begins before the drain delay is over is answered."""
    delay = 1.0
    server = start("echo", env={"KUBELESS_DRAIN_DELAY": f"{delay}", "KUBELESS_WORKERS": "2"})
    ended = threading.Event()
    results: list[tuple[float, str]] = []

    def client() -> None:
        connection = server.connection(10)
        while not ended.is_set():
            began = time.monotonic()
            try:
                reply = exchange(connection, "POST", "/", "x" * 1000)
            except BROKEN as error:
                results.append((began, repr(error)))
                connection.close()
                continue
            results.append((began, str(reply.status)))
            if not kept or reply.headers.get("connection") == "close":
                connection.close()
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(client) for _ in range(8)]
        eventually(lambda: len(results) > 200, "the load runs")
        told = time.monotonic()
        server.signal(signal.SIGTERM)
        code = server.wait()
        ended.set()
        for one in clients:
            one.result()
    assert code == 0
    assert {outcome for began, outcome in results if began < told + delay - 0.05} == {"200"}
    assert any(told < began < told + delay for began, _ in results)


def test_worker_that_dies_is_replaced(start: Any) -> None:
    server = start("echo")
    assert server.get().status == 200
    old = server.workers()
    for pid in old:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: answers(server), "it serves again")
    assert server.wrote("ended unexpectedly (SIGKILL)")
    assert not server.workers() & old


def test_counters_outlive_their_worker(start: Any) -> None:
    server = start("echo")
    for _ in range(3):
        assert server.post("x").status == 200
    for pid in server.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: answers(server), "it serves again")
    assert server.metric("function_calls_total", method="POST") == 3


def test_workers_that_keep_dying_end_the_server(start: Any) -> None:
    server = start("echo")
    for _ in range(12):
        if server.process.poll() is not None:
            break
        eventually(lambda: server.process.poll() is not None or answers(server), "up, or ended")
        for pid in server.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert server.wait(10) == 1
    assert server.wrote("giving up")


def test_workers_go_when_the_first_process_is_killed(start: Any) -> None:
    server = start("echo")
    workers = server.workers()
    server.process.kill()
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), "they are gone")


def test_log_that_nobody_reads_does_not_end_the_server(language: Language, start: Any) -> None:
    """A full or closed pipe at the other end must not turn answers into errors."""
    server = start("prints")
    os.truncate(server.folder / "log", 0)
    assert [server.get().status for _ in range(5)] == [200] * 5
