"""A call that outlives its time: 408 in time, and the work is really ended."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conformance.client import BROKEN, eventually
from conformance.languages import Language

pytestmark = pytest.mark.slow

#: Seconds within which a 408 follows the timeout.
PROMPT = 0.2
PROCESSES = "a pod's processes are not seen from outside"


class Outcome(NamedTuple):
    """The status, or 'broken', the seconds it took, and those of them that were not the machine's."""

    status: str
    seconds: float
    own: float


def call(server: Any, what: str) -> Outcome:
    began = time.monotonic()
    status = "broken"
    with server.run_queue() as queue, contextlib.suppress(*BROKEN):
        reply = server.post(what)
        assert reply.status != 408 or reply.text == "Request timeout exceeded"
        status = str(reply.status)
    seconds = time.monotonic() - began
    return Outcome(status, seconds, seconds - queue.seconds)


def settled(server: Any) -> bool:
    """Whether nothing is left of work: it answers, and uses no processor time."""
    if call(server, "").status != "200":
        return False
    before = server.ticks()
    time.sleep(0.2)
    return server.ticks() - before <= 3


def child_runs() -> bool:
    def line(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""

    return any(line(p) == b"sleep\061.5\0" for p in Path("/proc").glob("[0-9]*/cmdline"))


@pytest.mark.each("interruptible", "waits")
def test_408_comes_in_time(start: Any, kind: str) -> None:
    server = start("work", timeout=1)
    results = [call(server, kind) for _ in range(2)]
    assert [result.status for result in results] == ["408", "408"]
    assert min(result.seconds for result in results) >= 1
    assert min(result.own for result in results) <= 1 + PROMPT
    assert server.metric("function_failures_total", method="POST") == 2


@pytest.mark.each("holding")
def test_work_that_holds_the_interpreter_is_over_soon(
    start: Any, language: Language, kind: str
) -> None:
    server = start("work", timeout=1)
    result = call(server, kind)
    assert result.status in ("408", "broken")
    assert result.seconds >= 1
    assert result.own <= 1 + language.held
    eventually(lambda: call(server, "").status == "200", "it serves again")


@pytest.mark.process(PROCESSES)
@pytest.mark.each("interruptible")
def test_interrupted_work_costs_no_process(start: Any, kind: str) -> None:
    server = start("work", timeout=0.4)
    assert call(server, "").status == "200"
    before = server.workers()
    assert [call(server, kind).status for _ in range(3)] == ["408"] * 3
    eventually(lambda: settled(server), "nothing runs any more")
    assert server.workers() == before
    eventually(lambda: not child_runs(), "what it started is gone")


@pytest.mark.process(PROCESSES)
@pytest.mark.each("waits", "holding")
def test_work_that_cannot_be_interrupted_costs_its_process(start: Any, kind: str) -> None:
    server = start("work", timeout=0.4)
    assert call(server, "").status == "200"
    before = len(server.processes())
    assert call(server, kind).status in ("408", "broken")
    eventually(lambda: settled(server), "nothing runs any more")
    eventually(lambda: len(server.processes()) == before, "as many processes as before")
    eventually(lambda: not child_runs(), "what it started is gone")


@pytest.mark.each("interruptible", "waits")
def test_requests_beside_it_are_unharmed(start: Any, kind: str) -> None:
    server = start("work", timeout=2)
    with ThreadPoolExecutor(8) as pool:
        stuck = pool.submit(call, server, kind)
        time.sleep(1.6)
        # They end after the 408, and have more than twice the time that they take.
        beside = [pool.submit(call, server, "short") for _ in range(6)]
        assert stuck.result().status == "408"
        assert [other.result().status for other in beside] == ["200"] * 6


@pytest.mark.each("typical")
def test_new_requests_are_served_all_the_time(start: Any, kind: str) -> None:
    server = start("work", timeout=1)
    seen: list[Outcome] = []
    with ThreadPoolExecutor(4) as pool:
        stuck = [pool.submit(call, server, kind) for _ in range(3)]
        while not all(one.done() for one in stuck):
            seen.append(call(server, ""))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            seen.append(call(server, ""))
        assert {one.result().status for one in stuck} == {"408"}
    assert {one.status for one in seen} == {"200"}
    assert max(one.own for one in seen) < 1


@pytest.mark.each("holding")
def test_concurrency_of_one_serves_again_after_each(start: Any, kind: str) -> None:
    server = start("work", timeout=1, env={"FUNC_CONCURRENCY": "1"})
    for _ in range(2):
        assert call(server, kind).status in ("408", "broken")
        eventually(lambda: call(server, "").status == "200", "it serves again")


@pytest.mark.each("waits")
def test_concurrency_of_one_after_a_wait(start: Any, kind: str) -> None:
    server = start("work", timeout=1, env={"FUNC_CONCURRENCY": "1"})
    assert call(server, kind).status == "408"
    eventually(lambda: call(server, "").status == "200", "it serves again")


@pytest.mark.process(PROCESSES)
@pytest.mark.each("typical_costly")
def test_many_at_once_do_not_pile_up_processes(start: Any, kind: str) -> None:
    server = start("work", timeout=0.4)
    before, most = len(server.processes()), 0
    with ThreadPoolExecutor(6) as pool:
        for _ in range(4):
            calls = [pool.submit(call, server, kind) for _ in range(5)]
            while not all(c.done() for c in calls):
                most = max(most, len(server.processes()))
                time.sleep(0.01)
            assert {c.result().status for c in calls} <= {"408", "broken", "503"}
    children = 20 if kind in ("child", "blocking") else 0
    assert most <= before + 3 + children
    eventually(lambda: len(server.processes()) == before, "as many processes as before", 20)
    assert call(server, "").status == "200"


@pytest.mark.process(PROCESSES)
@pytest.mark.each("typical")
def test_two_hundred_leave_the_server_as_fast_and_small(start: Any, kind: str) -> None:
    leave_it_as_it_was(start, kind, 200)


@pytest.mark.process(PROCESSES)
@pytest.mark.each("typical_holding")
def test_forty_that_hold_it_leave_the_server_as_fast_and_small(start: Any, kind: str) -> None:
    leave_it_as_it_was(start, kind, 40)


def leave_it_as_it_was(start: Any, kind: str, count: int) -> None:
    server = start("work", timeout=0.1, env={"KUBELESS_ACCESS_LOG": "false"})
    assert call(server, "").status == "200"
    processes = len(server.processes())

    def rate() -> float:
        began = time.monotonic()
        assert {server.post("").status for _ in range(200)} == {200}
        return 200 / (time.monotonic() - began)

    def size() -> dict[str, int]:
        return {
            "processes": len(server.processes()),
            "threads": server.threads(),
            "descriptors": server.descriptors(),
            "memory": server.memory(),
        }

    def fill(calls: int) -> set[str]:
        """That many from eight clients; the outcomes. Waits until nothing of them runs."""
        with ThreadPoolExecutor(8) as pool:
            outcomes = {one.status for one in pool.map(lambda _: call(server, kind), range(calls))}
        eventually(lambda: settled(server), "nothing runs any more", 20)
        eventually(lambda: len(server.processes()) == processes, "as many processes", 20)
        return outcomes

    fill(count // 4)  # so that pools and caches are filled
    fast, small = max(rate() for _ in range(3)), size()
    outcomes = fill(count)
    assert outcomes <= {"408", "broken", "503"}
    assert outcomes & {"408", "broken"}
    eventually(lambda: rate() > fast / 2, f"as fast as before: {fast:.0f}/s", 20)
    now = size()
    assert now["threads"] <= small["threads"] + 8  # a pool's idle threads
    assert now["descriptors"] <= small["descriptors"] + 8
    assert now["memory"] < small["memory"] * 1.5 + 16 * 1024 * 1024  # far less than 200 leaks
