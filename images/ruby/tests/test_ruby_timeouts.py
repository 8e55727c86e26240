"""How a Ruby call that outlives its time is ended."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.client import eventually
from conformance.server import Server

from .conftest import Serve

pytestmark = pytest.mark.slow

WORK = """
    require 'fiddle'
    require 'monitor'
    require 'open3'
    require 'timeout'

    LOG = Queue.new

    def handler(event, _context)
      case event[:data]
      when 'ensure'
        begin
          sleep
        ensure
          sleep 0.15
          LOG << 'cleaned up'
        end
      when 'rescue' then begin; sleep; rescue => e; LOG << e.class.name; end
      when 'exception' then 3.times { begin; sleep; rescue Exception => e; LOG << e.class.name; end }
      when 'deaf' then loop { begin; sleep; rescue Exception; retry; end }
      when 'masked' then Thread.handle_interrupt(Exception => :never) { sleep 60 }
      when 'native' then native
      when 'mutex' then Mutex.new.tap(&:lock).then { |m| Thread.new { m.lock; sleep }; Queue.new.pop }
      when 'timeout' then begin; Timeout.timeout(30) { sleep }; rescue Timeout::Error; LOG << 'wrong'; end
      when 'condition' then Monitor.new.then { |m| m.synchronize { m.new_cond.wait } }
      when 'spawn' then spawn('sleep', '61.75'); sleep
      when 'shell' then `sleep 61.75; true`
      when 'open3' then Open3.capture2('sleep 61.75; true')
      when 'log' then return Array.new(LOG.size) { LOG.pop }
      when 'short' then sleep 0.5
      when 'long' then sleep 1.2
      when 'late' then Thread.handle_interrupt(Exception => :never) { sleep 2.6 }
      end
      'done'
    end

    # Lets others run, but cannot be interrupted.
    def native
      Fiddle::Function.new(Fiddle::Handle::DEFAULT['sleep'], [Fiddle::TYPE_INT], Fiddle::TYPE_INT).call(60)
    end
"""


def call(server: Server, what: str) -> tuple[int, str]:
    with server.run_queue() as queue:
        reply = server.post(what)
    assert reply.seconds - queue.seconds < 0.4 + 0.2 or what in ("short", "log")
    return reply.status, reply.text


@pytest.mark.parametrize(
    "what",
    ["ensure", "rescue", "mutex", "timeout", "condition", "shell", "open3", "spawn"],
)
def test_what_ruby_can_interrupt_costs_nothing_else(serve: Serve, what: str) -> None:
    server = serve(WORK, timeout=0.4)
    workers = server.workers()
    with ThreadPoolExecutor(3) as pool:
        beside = [pool.submit(call, server, "log") for _ in range(2)]
        assert call(server, what) == (408, "Request timeout exceeded")
        assert {one.result()[0] for one in beside} == {200}
    eventually(
        lambda: not [pid for pid in server.workers() if b"61.75" in command(pid)], "no child"
    )
    assert server.workers() == workers
    assert server.metric("function_failures_total", method="POST") == 1


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_ensure_runs_to_its_end(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    assert call(server, "ensure")[0] == 408
    assert eventually(lambda: server.post("log").json(), "the log") == ["cleaned up"]


def test_plain_rescue_does_not_see_it(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    assert call(server, "rescue")[0] == 408
    assert server.post("log").json() == []


@pytest.mark.parametrize("what", ["deaf", "masked", "native", "exception"])
def test_what_cannot_be_interrupted_costs_the_worker_after_its_other_calls(
    serve: Serve, what: str
) -> None:
    server = serve(WORK, timeout=0.4)
    old = server.workers()
    with ThreadPoolExecutor(2) as pool:
        stuck = pool.submit(call, server, what)
        threading.Event().wait(0.3)
        beside = server.post("x")
        assert stuck.result() == (408, "Request timeout exceeded")
        assert beside.text == "done"
    eventually(lambda: server.workers() and not server.workers() & old, "a fresh worker")
    assert call(server, "x") == (200, "done")
    assert server.wrote("did not end when its time was over; this process is replaced")


def test_stuck_calls_that_come_back_take_no_other_along(serve: Serve) -> None:
    server = serve(WORK, timeout=1.5)
    old = server.workers()
    with ThreadPoolExecutor(3) as pool:
        stuck = [pool.submit(server.post, "late") for _ in range(2)]
        threading.Event().wait(1.8)  # their time is over, and they are not yet given up
        beside = pool.submit(server.post, "long")  # ends when both are back
        assert [one.result().status for one in stuck] == [408, 408]
        assert beside.result().text == "done"
    eventually(lambda: server.workers() and not server.workers() & old, "a fresh worker")


def test_stuck_calls_do_not_pile_up_workers(serve: Serve) -> None:
    server = serve(WORK, timeout=0.4)
    most = 0
    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            calls = [pool.submit(call, server, "native") for _ in range(5)]
            while not all(one.done() for one in calls):
                most = max(most, len(server.workers()))
            assert {one.result()[0] for one in calls} == {408}
    assert most <= 4
    eventually(lambda: len(server.workers()) == 1, "one worker")


def test_next_calls_of_the_thread_never_see_it(serve: Serve) -> None:
    """Handlers that end just when their time does: the exception is on its way then."""
    server = serve(
        """
        COUNT = Queue.new
        def handler(event, _context)
          sleep 0.099 + rand / 500 if event[:data] == 'edge'
          'done'
        end
        """,
        timeout=0.1,
        env={"KUBELESS_ACCESS_LOG": "false"},
    )
    workers = server.workers()
    with ThreadPoolExecutor(6) as pool:
        edges = list(pool.map(lambda _: server.post("edge").status, range(300)))
        quick = list(pool.map(lambda _: server.post("").status, range(300)))
    assert set(edges) <= {200, 408}
    assert set(quick) == {200}
    assert server.workers() == workers
    assert server.output() == ""


def test_loops_beside_each_other_are_answered_in_time(serve: Serve) -> None:
    """In time of their beginning: loops that hold the interpreter delay it."""
    server = serve("def handler(*) = loop { nil }", timeout=0.6)
    with ThreadPoolExecutor(2) as pool, server.run_queue() as queue:
        replies = list(pool.map(lambda _: server.get(), range(2)))
    assert {reply.status for reply in replies} == {408}

    def logged() -> list[float]:
        found = re.findall(r" \d+/(\d+)\n", server.output())
        return [int(number) / 1e6 for number in found] if len(found) == 2 else []

    taken = eventually(logged, "both are in the log")
    assert max(taken) - queue.seconds < 0.6 + 0.2


def test_slow_upload_is_408(serve: Serve) -> None:
    server = serve("def handler(*) = 'ok'", timeout=0.4)
    with server.socket():  # an idle connection beside it
        raw = server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", timeout=3)
    assert raw.startswith(b"HTTP/1.1 408 ")
    assert raw.endswith(b"Request timeout exceeded")


def test_processes_of_other_calls_and_of_earlier_ones_are_left_alone(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, _context)
          case event[:data]
          when 'start' then spawn('sleep', '62.5').to_s
          when 'hang' then spawn('sleep', '62.75'); sleep
          end
        end
        """,
        timeout=0.4,
    )
    kept = int(server.post("start").text)
    for _ in range(3):
        assert server.post("hang").status == 408
    eventually(lambda: not [p for p in server.workers() if b"62.75" in command(p)], "children gone")
    assert b"62.5" in command(kept)
