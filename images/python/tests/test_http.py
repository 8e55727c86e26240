"""Worker processes and concurrency; HTTP itself is in tests/conformance."""

from __future__ import annotations

from .conftest import Serve
from .test_response import in_parallel

SLOW = """
    import time
    running, most = [], [0]
    def handler(event, context):
        running.append(1)
        most[0] = max(most[0], len(running))
        try:
            time.sleep(0.2)
        finally:
            running.pop()
        return most[0]
"""


def test_concurrency_of_one_over_several_workers(serve: Serve) -> None:
    server = serve(SLOW, env={"FUNC_CONCURRENCY": "1", "KUBELESS_WORKERS": "4"})
    assert len(server.workers()) == 1
    assert {reply.status for reply in in_parallel(server, 4)} == {200, 503}
