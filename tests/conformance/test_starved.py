"""A busy node: who gets no processor is late, and is no worker that hangs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conformance.client import eventually


@contextlib.contextmanager
def starved(processes: Iterable[int]) -> Iterator[None]:
    """All but no processor for these: their only one computes for another, which goes first."""
    usable = os.sched_getaffinity(0)
    one = {min(usable)}
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        os.sched_setaffinity(other.pid, one)
        schedule(processes, os.SCHED_IDLE, one)
        yield
    finally:
        other.kill()
        other.wait()
        schedule(processes, os.SCHED_OTHER, usable)


def schedule(processes: Iterable[int], policy: int, processors: set[int]) -> None:
    for process in processes:
        # Those that begin meanwhile have it from the thread that made them.
        for file in Path(f"/proc/{process}/task").glob("*"):
            thread = int(file.name)
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, processors)
                # Not everybody may take it back.
                with contextlib.suppress(PermissionError):
                    os.sched_setscheduler(thread, policy, os.sched_param(0))


@pytest.mark.process("a pod's processes are not seen from outside")
def test_worker_without_a_processor_is_not_taken_for_one_that_hangs(start: Any) -> None:
    server = start("work", timeout=0.5)
    workers = server.workers()
    idle = server.ticks()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(server.post, "loop")
        eventually(lambda: server.ticks() - idle > 10, "it loops")
        with starved(workers):
            # For longer than the timeout and what a worker has after it.
            time.sleep(2.2)
        assert call.result().status == 408
    assert server.workers() == workers, server.output()
    # A call may be 408 where the machine takes longer than the timeout for it.
    eventually(lambda: server.post("").status == 200, "it serves")
