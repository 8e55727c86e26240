"""Several workers in one pod: they share its socket, its limit and its numbers."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance.client import BROKEN, eventually
from conformance.server import Server

from .conftest import Start

SOURCE = """
    const { execFileSync } = require('child_process');
    const kinds = {
      block: () => execFileSync('sleep', ['64.5']),
      loop: () => { for (;;); },
      wait: () => new Promise((done) => setTimeout(() => done([process.pid]), 1500)),
    };
    module.exports = (event) => (kinds[event.data] ?? (() => [process.pid]))();
"""


def workers(count: int, **env: str) -> dict[str, str]:
    return {"KUBELESS_WORKERS": f"{count}", **env}


def complete(server: Server, count: int) -> set[int]:
    """Wait until each of so many workers has answered; their process ids."""
    found: set[int] = set()

    def look() -> bool:
        found.update(reply.json()[0] for reply in server.parallel(8) if reply.status == 200)
        found.intersection_update(server.workers())
        return len(found) == count

    eventually(look, f"{count} workers answer", 20)
    return found


def test_as_many_workers_as_were_wished_for(serve: Start) -> None:
    server = serve(SOURCE, env=workers(3))
    assert complete(server, 3) == server.workers()


def test_never_more_workers_than_calls_may_run(serve: Start) -> None:
    server = serve(SOURCE, env=workers(3, FUNC_CONCURRENCY="2"))
    assert complete(server, 2) == server.workers()


def test_module_that_does_not_load_is_told_of_once(begin: Start) -> None:
    server = begin("require('no-such-thing');", env=workers(3))
    assert server.wait() == 1
    assert server.output().count("needs 'no-such-thing', which is not installed") == 1


def test_worker_that_dies_is_replaced_while_others_serve(serve: Start) -> None:
    server = serve(SOURCE, env=workers(2))
    first, second = complete(server, 2)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: first not in server.workers(), "it is gone")
    assert server.get().status == 200
    assert second in complete(server, 2)
    assert server.wrote("ended unexpectedly (SIGKILL)")


def test_place_of_a_call_whose_worker_died_is_free_again(serve: Start) -> None:
    server = serve(SOURCE, env=workers(2, FUNC_CONCURRENCY="2"))
    complete(server, 2)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(server.post, "wait") for _ in range(2)]
        eventually(lambda: server.get().status == 503, "both places are taken")
        for pid in server.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for call in calls:
            with pytest.raises(BROKEN):
                call.result()
    complete(server, 2)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(server.post, "wait") for _ in range(2)]
        assert [call.result().status for call in calls] == [200, 200]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "stays"), [("loop", True), ("block", False)])
def test_call_that_holds_its_worker_leaves_the_others_alone(
    serve: Start, kind: str, stays: bool
) -> None:
    server = serve(SOURCE, timeout=2, env=workers(2))
    before = complete(server, 2)
    with ThreadPoolExecutor(1) as pool:
        with server.run_queue() as queue:
            held = pool.submit(server.post, kind)
            time.sleep(0.3)  # it holds its worker now, which takes no connection
            beside = [server.get() for _ in range(10)]
            assert not held.done()
            held.result()
        assert {reply.status for reply in beside} == {200}
        assert len({reply.json()[0] for reply in beside}) == 1
        assert held.result().status == 408
        assert held.result().seconds - queue.seconds < 2 + 1
    assert server.metric("function_failures_total", method="POST") == 1
    assert server.metric("function_calls_total", method="POST") == 1
    assert len(complete(server, 2) & before) == (2 if stays else 1)


def test_sigterm_drains_every_worker(serve: Start) -> None:
    server = serve(SOURCE, env=workers(2, KUBELESS_DRAIN_DELAY="1.2"))
    complete(server, 2)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(server.post, "wait") for _ in range(4)]
        time.sleep(0.3)
        server.signal(signal.SIGTERM)
        eventually(lambda: server.get("/healthz").status == 503, "it is not ready any more")
        assert {server.get("/healthz").status for _ in range(6)} == {503}
        assert {call.result().status for call in calls} == {200}
    assert server.wait() == 0
    assert server.output().count("SIGTERM: not ready any more") == 1
