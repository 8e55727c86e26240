"""What is Python's own about calls that outlive their time; the rest is in tests/conformance."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.run_queue import RunQueue

from .conftest import Serve, Server, eventually

pytestmark = pytest.mark.slow

#: The answer comes within the timeout and this much.
PROMPT = 0.2

WORK = """
    import os
    def handler(event, context):
        what = event["data"].decode()
        if what == "loop":
            while True:
                pass
        if what == "deaf":
            while True:
                try:
                    while True:
                        pass
                except:
                    continue
        return [os.getpid(), what]
"""


def call(server: Server, what: str) -> tuple[int, str, float]:
    """The status, the text, and the seconds that were not the machine's."""
    with RunQueue(server.pid, *server.workers()) as queue:
        reply = server.post(what)
    return reply.status, reply.text, reply.seconds - queue.seconds


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


def test_handler_that_catches_everything_costs_the_worker(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    old = server.workers()
    assert call(server, "deaf")[0] == 408
    eventually(lambda: server.workers() and not server.workers() & old)
    # A call may be 408 where the machine takes longer than the timeout for it.
    eventually(lambda: call(server, "x")[0] == 200)


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
        timeout=2,
    )
    old = next(iter(server.workers()))
    with ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(server.post, "stuck")
        eventually(lambda: server.get("/healthz"))
        time.sleep(1.8)
        beside = pool.submit(server.post, "1.2")  # ends after the worker was told to retire
        assert stuck.result().status == 408
        assert beside.result().json() == old
    eventually(lambda: old not in server.workers())


def test_native_call_within_its_time_is_left_alone(serve: Serve) -> None:
    server = serve(
        "import ctypes\ndef handler(event, context):\n    ctypes.PyDLL(None).usleep(900000)\n    return 'ok'",
        timeout=1.5,
    )
    worker = server.workers()
    assert [server.get().text for _ in range(2)] == ["ok"] * 2
    assert server.workers() == worker


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
    # A call may be 408 where the machine takes longer than the timeout for it.
    reply = eventually(lambda: found if (found := server.post("x")).status == 200 else None)
    assert reply.json()[0] == next(iter(worker))
    assert reply.json()[1][0] == what


def test_async_handler_that_blocks_its_loop_costs_the_worker(serve: Serve) -> None:
    server = serve(ASYNC, timeout=0.4)
    old = server.workers()
    assert call(server, "sleep")[0] == 408
    eventually(lambda: server.workers() and not server.workers() & old)
    eventually(lambda: server.post("x").status == 200)
