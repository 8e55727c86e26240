"""A handler that keeps the main thread: 408, and its work is ended while the server stays."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance.client import BROKEN, eventually
from conformance.server import Server

from .conftest import Start

pytestmark = pytest.mark.slow

BUSY = """
    const { AsyncLocalStorage } = require('async_hooks');
    const { EventEmitter } = require('events');
    const fs = require('fs');
    const spin = () => { for (;;); };
    const tick = () => new Promise((done) => setImmediate(done));
    let calls = 0;
    const kinds = {
      sync: spin,
      await: async () => { await null; spin(); },
      immediate: async () => { await tick(); spin(); },
      timer: () => new Promise(() => setTimeout(spin, 1)),
      nextTick: () => new Promise(() => process.nextTick(spin)),
      file: () => new Promise(() => fs.stat('/', spin)),
      event: () => { const e = new EventEmitter(); e.on('x', spin); e.emit('x'); },
      catching: () => { for (;;) { try { spin(); } catch { continue; } finally { spin(); } } },
      regex: () => /^(a+)+$/.test('a'.repeat(60) + '!'),
      waiting: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
      microtasks: async () => { for (;;) await null; },
      garbage: () => { for (;;) JSON.stringify(Array(1000).fill({ a: 1 })); },
      blocking: () => require('child_process').execFileSync('sleep', ['62.5']),
      owned: (event) => { event.extensions.response.setHeader('X-A', 'b'); spin(); },
      started: (event) => { event.extensions.response.write('part'); spin(); },
      short: async () => { for (let i = 0; i < 6; i += 1) await new Promise((done) => setTimeout(done, 50)); return 'short'; },
    };
    module.exports = (event) => {
      calls += 1;
      return event.data ? kinds[event.data](event) : [calls, process.pid];
    };
"""

ENDED = [
    "sync", "await", "immediate", "timer", "nextTick", "file", "event", "catching", "regex",
    "waiting", "microtasks", "garbage", "owned",
]  # fmt: skip


@pytest.mark.parametrize("kind", ENDED)
def test_busy_handler_is_ended_and_the_server_stays(serve: Start, kind: str) -> None:
    server = serve(BUSY, timeout=0.3)
    workers = server.workers()
    for number in range(3):
        with server.run_queue() as queue:
            reply = server.post(kind)
        assert (reply.status, reply.text) == (408, "Request timeout exceeded")
        assert reply.seconds - queue.seconds < 0.3 + 1
        assert "x-a" not in reply.headers
        assert server.get().json()[0] == 2 * (number + 1)  # the module's state is kept
    assert server.workers() == workers
    assert server.metric("function_failures_total", method="POST") == 3


@pytest.mark.parametrize(("kind", "times"), [("sync", 200), ("timer", 40)])
def test_many_busy_handlers(serve: Start, kind: str, times: int) -> None:
    server = serve(BUSY, timeout=0.05, env={"KUBELESS_ACCESS_LOG": "false"})
    workers = server.workers()
    for _ in range(20):
        assert server.post(kind).status == 408
    small = server.memory()
    for _ in range(times):
        assert server.post(kind).status == 408
    assert server.workers() == workers
    # What a worker gave back after its start comes again as it is used.
    assert server.memory() < small + 16 * 2**20
    with server.run_queue() as queue:
        slowest = max(server.get().seconds for _ in range(20))
    assert slowest - queue.seconds < 0.1


def test_calls_beside_a_busy_one_finish(serve: Start) -> None:
    server = serve(BUSY, timeout=1)
    with ThreadPoolExecutor(8) as pool:
        beside = [pool.submit(server.post, "short") for _ in range(4)]
        busy = pool.submit(server.post, "catching")
        later = [pool.submit(server.post, "short") for _ in range(2)]
        assert busy.result().status == 408
        answers = {(one.result().status, one.result().text) for one in [*beside, *later]}
    assert answers <= {(200, "short"), (408, "Request timeout exceeded")}


def test_answer_that_had_begun_is_cut_off(serve: Start) -> None:
    server = serve(BUSY, timeout=0.3)
    with pytest.raises(BROKEN):
        server.post("started")
    assert server.get().status == 200


def test_blocked_server_answers_408_and_503_and_is_replaced(serve: Start) -> None:
    server = serve(BUSY, timeout=1)
    old = server.workers()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.post, "blocking")
        assert first.result().status == 408
    assert server.get().json()[0] == 1  # waited in the socket's queue, and was not refused
    assert not server.workers() & old
    assert server.wrote("a native call held the server past the timeout")
    assert server.metric("function_failures_total", method="POST") == 1


def test_calls_beside_a_blocked_server_are_told_to_come_again(serve: Start) -> None:
    source = """
        const { execFileSync } = require('child_process');
        module.exports = (event) =>
          event.data === 'wait' ? new Promise(() => {}) : execFileSync('sleep', ['62.5']);
    """
    server = serve(source, timeout=1)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(server.post, "wait")
        time.sleep(0.8)
        late = pool.submit(server.post, "block")
        assert early.result().status == 408
        assert late.result().status in (408, 503)


def test_busy_beside_async_storage_serves_again(serve: Start) -> None:
    """Node.js 20 can't outlive this one; its process is replaced."""
    source = BUSY.replace("let calls = 0;", "new AsyncLocalStorage().enterWith(1); let calls = 0;")
    server = serve(source, timeout=0.3)
    for _ in range(2):
        with contextlib.suppress(BROKEN):
            assert server.post("await").status == 408
        eventually(lambda: _serves(server), "it serves again", 3)


def _serves(server: Server) -> bool:
    try:
        return server.get().status == 200
    except BROKEN:
        return False


def test_child_processes_of_an_abandoned_call_are_ended(serve: Start) -> None:
    source = """
        const { spawn } = require('child_process');
        module.exports = () => new Promise(() => {
          const child = spawn('sleep', ['63.5']);
          child.on('exit', (code, signal) => console.log('ended by', signal));
        });
    """
    server = serve(source, timeout=0.3)
    assert server.get().status == 408
    eventually(lambda: "ended by SIGKILL" in server.output(), "the child is gone")
