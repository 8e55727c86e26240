"""What a Ruby server takes: time to its first answer, memory."""

from __future__ import annotations

import time

from conformance.client import BROKEN, eventually
from conformance.server import Server

from .conftest import Serve

OK = "def handler(event, context)\n  'ok'\nend\n"


def answers(server: Server) -> bool:
    try:
        return server.get().text == "ok"
    except BROKEN:
        return False


def test_process_start_to_first_answer(begin: Serve) -> None:
    best = 9.0
    for _ in range(5):
        start = time.monotonic()
        server = begin(OK)
        eventually(lambda server=server: answers(server), "the first answer")
        best = min(best, time.monotonic() - start)
    assert best < 0.25, f"{best:.3f} s"


def test_idle_memory(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    assert server.memory() < 60 * 1024 * 1024, f"{server.memory() // 1024} KiB"


def test_a_worker_for_each_cpu_and_never_more_than_the_concurrency(serve: Serve) -> None:
    assert len(serve(OK, env={"KUBELESS_WORKERS": "3"}).workers()) == 3
    limited = serve(OK, env={"KUBELESS_WORKERS": "3", "FUNC_CONCURRENCY": "2"})
    assert len(limited.workers()) == 2
