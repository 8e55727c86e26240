"""A call that outlives its time: 408, and the work is ended."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Serve, Server, eventually

pytestmark = pytest.mark.slow

#: The answer comes within the timeout and this much.
PROMPT = 0.2

WORK = """
    import asyncio, hashlib, os, socket, subprocess, time
    def handler(event, context):
        what = event["data"].decode()
        if what == "loop":
            while True:
                pass
        if what == "stubborn":
            while True:
                try:
                    while True:
                        pass
                except Exception:
                    continue
        if what == "deaf":
            while True:
                try:
                    while True:
                        pass
                except:
                    continue
        if what == "sleep":
            time.sleep(60)
        if what == "socket":
            a, b = socket.socketpair()
            a.recv(1)
        if what == "child":
            subprocess.run(["sleep", "61.5"])
        if what == "native":
            import ctypes
            ctypes.PyDLL(None).sleep(60)
        if what == "short":
            time.sleep(0.6)
        return [os.getpid(), what]
"""


def call(server: Server, what: str) -> tuple[int, str, float]:
    reply = server.post(what)
    return reply.status, reply.text, reply.seconds


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


@pytest.mark.parametrize("what", ["loop", "stubborn", "sleep", "socket", "child"])
def test_timeout_is_408_within_two_tenths(serve: Serve, what: str) -> None:
    server = serve(WORK, timeout=0.5)
    status, text, seconds = call(server, what)
    assert (status, text) == (408, "Request timeout exceeded")
    assert 0.5 <= seconds <= 0.5 + PROMPT
    assert server.metric("function_failures_total", method="POST") == 1


@pytest.mark.parametrize("what", ["loop", "stubborn"])
def test_loop_is_ended_and_the_worker_stays(serve: Serve, what: str) -> None:
    server = serve(WORK, timeout=0.4)
    worker = server.workers()
    for _ in range(3):
        assert call(server, what)[0] == 408
    assert server.workers() == worker
    idle_within(server, next(iter(worker)))


def idle_within(server: Server, pid: int) -> None:
    """The process uses no processor time any more."""

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def idle() -> bool:
        before = ticks()
        time.sleep(0.2)
        return ticks() - before <= 2

    eventually(idle)


def test_requests_beside_an_ended_loop_are_unharmed(serve: Serve) -> None:
    server = serve(WORK, timeout=1)
    with ThreadPoolExecutor(8) as pool:
        loop = pool.submit(call, server, "loop")
        others = [pool.submit(call, server, "short") for _ in range(6)]
        assert loop.result()[0] == 408
        assert [other.result()[0] for other in others] == [200] * 6


def test_many_quick_calls_beside_timeouts_never_see_the_exception(serve: Serve) -> None:
    server = serve(WORK, timeout=0.3)
    stop = threading.Event()
    wrong: list[tuple[int, str]] = []

    def quick() -> None:
        while not stop.is_set():
            status, text, _ = call(server, "x")
            if status != 200:
                wrong.append((status, text))

    with ThreadPoolExecutor(6) as pool:
        quicks = [pool.submit(quick) for _ in range(3)]
        for _ in range(5):
            assert [s for s, *_ in pool.map(lambda _: call(server, "loop"), range(2))] == [408] * 2
        stop.set()
        for one in quicks:
            one.result()
    assert not [w for w in wrong if w[0] != 408]


@pytest.mark.parametrize("what", ["sleep", "socket", "child", "deaf"])
def test_wait_that_cannot_be_interrupted_costs_the_worker(serve: Serve, what: str) -> None:
    server = serve(WORK, timeout=0.4)
    old = server.workers()
    assert call(server, what)[0] == 408
    eventually(lambda: server.workers() and not server.workers() & old)
    assert call(server, "x")[0] == 200
    if what == "child":
        eventually(
            lambda: not any(b"61.5" in read(p) for p in Path("/proc").glob("[0-9]*/cmdline"))
        )


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_requests_beside_a_stuck_one_finish(serve: Serve) -> None:
    server = serve(
        """
        import time, os
        def handler(event, context):
            if event["data"] == b"stuck":
                time.sleep(60)
            time.sleep(float(event["data"]))
            return os.getpid()
        """,
        timeout=1,
    )
    old = next(iter(server.workers()))
    with ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(server.post, "stuck")
        eventually(lambda: server.get("/healthz"))
        time.sleep(0.9)
        beside = pool.submit(server.post, "0.95")  # ends after the worker was told to retire
        assert stuck.result().status == 408
        assert beside.result().json() == old
    eventually(lambda: old not in server.workers())


def test_no_request_fails_while_workers_are_replaced(serve: Serve) -> None:
    server = serve(WORK, timeout=0.3)
    stop = threading.Event()
    statuses: list[int] = []

    def quick() -> None:
        while not stop.is_set():
            statuses.append(call(server, "x")[0])

    with ThreadPoolExecutor(4) as pool:
        quicks = [pool.submit(quick) for _ in range(2)]
        for _ in range(4):
            assert call(server, "sleep")[0] == 408
        stop.set()
        for one in quicks:
            one.result()
    assert set(statuses) == {200}


def test_many_stuck_calls_do_not_pile_up_workers(serve: Serve) -> None:
    server = serve(WORK, timeout=0.3)
    most = 0
    with ThreadPoolExecutor(6) as pool:
        for _ in range(4):
            calls = [pool.submit(call, server, "sleep") for _ in range(5)]
            while not all(c.done() for c in calls):
                most = max(most, len(server.workers()))
                time.sleep(0.01)
            assert {c.result()[0] for c in calls} == {408}
    assert most <= 4
    eventually(lambda: len(server.workers()) == 1)
    assert call(server, "x")[0] == 200


def test_native_call_that_holds_the_interpreter_costs_the_worker(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    old = server.workers()
    start = time.monotonic()
    with pytest.raises(OSError, match=r"(?i)reset|closed|without response"):
        call(server, "native")
    assert time.monotonic() - start < 0.4 + 2
    assert call(server, "x")[0] == 200
    assert not server.workers() & old
    assert "held the interpreter past the timeout" in server.output()


def test_native_call_within_its_time_is_left_alone(serve: Serve) -> None:
    server = serve(
        "import ctypes\ndef handler(event, context):\n    ctypes.PyDLL(None).usleep(900000)\n    return 'ok'",
        timeout=1.5,
    )
    worker = server.workers()
    assert [server.get().text for _ in range(3)] == ["ok"] * 3
    assert server.workers() == worker


def test_threads_return_to_their_number(serve: Serve) -> None:
    server = serve(WORK, timeout=0.3)
    call(server, "x")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: call(server, "loop"), range(8)))
        worker = next(iter(server.workers()))
        before = threads(worker)
        list(pool.map(lambda _: call(server, "loop"), range(8)))
        list(pool.map(lambda _: call(server, "loop"), range(8)))
    assert threads(worker) <= before + 8  # the pool's idle threads, not one for every call


ASYNC = """
    import asyncio, os, time
    ended = []
    async def handler(event, context):
        what = event["data"].decode()
        try:
            if what == "await":
                await asyncio.sleep(60)
            if what == "loop":
                while True:
                    pass
            if what == "sleep":
                time.sleep(60)
        finally:
            ended.append(what)
        return [os.getpid(), ended[:-1]]
"""


@pytest.mark.parametrize("what", ["await", "loop"])
def test_async_handler_is_ended(serve: Serve, what: str) -> None:
    server = serve(ASYNC, timeout=0.4)
    worker = server.workers()
    status, _, seconds = call(server, what)
    assert (status, seconds < 0.4 + PROMPT) == (408, True)
    assert server.post("x").json() == [next(iter(worker)), [what]]


def test_async_handler_that_blocks_its_loop_costs_the_worker(serve: Serve) -> None:
    server = serve(ASYNC, timeout=0.4)
    old = server.workers()
    assert call(server, "sleep")[0] == 408
    eventually(lambda: server.workers() and not server.workers() & old)
    assert server.post("x").status == 200


def test_stream_that_outlives_its_time_is_cut_off(serve: Serve) -> None:
    import http.client

    server = serve(
        """
        import time
        def handler(event, context):
            return parts()
        def parts():
            while True:
                yield "x"
                time.sleep(0.05)
        """,
        timeout=0.5,
    )
    start = time.monotonic()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.get()
    assert time.monotonic() - start < 3
    assert server.get("/healthz").status == 200


def test_concurrency_of_one_serves_again_after_a_stuck_call(serve: Serve) -> None:
    server = serve(WORK, timeout=0.3, env={"FUNC_CONCURRENCY": "1"})
    assert call(server, "sleep")[0] == 408
    eventually(lambda: call(server, "x")[0] == 200, 5)


def test_slow_upload_is_408_and_its_worker_is_replaced(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    old = server.workers()
    reply = server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    assert reply.startswith(b"HTTP/1.1 408 ")
    eventually(lambda: server.workers() and not server.workers() & old)
    assert call(server, "x")[0] == 200
