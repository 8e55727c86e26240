"""What a Ruby server takes: memory, workers."""

from __future__ import annotations

from .conftest import Serve

OK = "def handler(event, context)\n  'ok'\nend\n"


def test_idle_memory(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    assert server.memory() < 60 * 1024 * 1024, f"{server.memory() // 1024} KiB"


def test_a_worker_for_each_cpu_and_never_more_than_the_concurrency(serve: Serve) -> None:
    assert len(serve(OK, env={"KUBELESS_WORKERS": "3"}).workers()) == 3
    limited = serve(OK, env={"KUBELESS_WORKERS": "3", "FUNC_CONCURRENCY": "2"})
    assert len(limited.workers()) == 2
