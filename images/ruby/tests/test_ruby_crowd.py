"""Endless loops at once: they share one interpreter with each other and with all that the server does."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import Serve

#: Seconds by which a 408 may follow the timeout.
PROMISED = 0.2


def seconds_of_a_slice() -> float:
    """For how long a thread of this Ruby computes before it is another's turn."""
    found = subprocess.check_output(["ruby", "-e", "print RUBY_VERSION"], text=True)
    version = tuple(map(int, found.split(".")[:2]))
    return 0.02 if version >= (3, 3) else 0.1  # older ones know no shorter ones


@pytest.mark.parametrize("loops", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_loops_at_once_are_ended_in_time_and_harm_nobody(serve: Serve, loops: int) -> None:
    turn = loops * seconds_of_a_slice()
    if turn > 1:
        pytest.skip("this Ruby's slices are longer than those of the image's")
    timeout = 0.6 + 5 * turn
    server = serve(
        "def handler(event, _context) = event[:data] == 'loop' ? loop { nil } : 'ok'",
        timeout=timeout,
    )
    workers = server.workers()
    with ThreadPoolExecutor(loops + 6) as pool:
        for _ in range(2):  # the second time with what the first has left
            ended = [pool.submit(server.post, "loop") for _ in range(loops)]
            time.sleep(timeout / 3)
            beside = [pool.submit(server.post, "") for _ in range(6)]
            time.sleep(timeout / 2)
            with (
                server.run_queue() as queue
            ):  # near the end: what the loops wait before makes nobody late
                replies = [one.result() for one in ended]
            assert {reply.status for reply in replies} == {408}
            assert min(reply.seconds for reply in replies) >= timeout
            # One turn more: this machine has more to do than the test.
            slowest = max(reply.seconds for reply in replies)
            assert slowest - queue.seconds < timeout + PROMISED + turn
            assert [one.result().text for one in beside] == ["ok"] * 6
    assert server.workers() == workers
    assert server.metric("function_calls_total", method="POST") == 2 * (loops + 6)
    assert "kubeless:" not in server.output()
