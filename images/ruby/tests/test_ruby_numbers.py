"""What a Ruby server takes: memory, workers."""

from __future__ import annotations

from conformance.client import eventually

from .conftest import Serve

OK = "def handler(event, context)\n  'ok'\nend\n"


def test_idle_memory(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    assert server.memory() < 60 * 1024 * 1024, f"{server.memory() // 1024} KiB"


def test_a_worker_for_each_cpu_and_never_more_than_the_concurrency(serve: Serve) -> None:
    # The first one may serve before the last one is forked.
    three = serve(OK, env={"KUBELESS_WORKERS": "3"})
    eventually(lambda: len(three.workers()) == 3, "three workers")
    limited = serve(OK, env={"KUBELESS_WORKERS": "3", "FUNC_CONCURRENCY": "2"})
    eventually(lambda: len(limited.workers()) == 2, "two workers")
