"""What a worker does with the memory that its start took."""

from __future__ import annotations

from pathlib import Path

from conformance.client import eventually

from .conftest import Start


def program_pages(pid: int) -> int:
    """Bytes of its programs' files that a process has mapped and in memory."""
    numbers = {
        line.split()[0]: int(line.split()[1]) * 1024
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    }
    return numbers["Rss:"] - numbers["Anonymous:"]


def test_pages_that_only_the_start_needed_are_given_back(serve: Start) -> None:
    server = serve("module.exports = () => 'served';")
    (worker,) = server.workers()
    # Every Node.js has more than 30 MiB of them when it is ready.
    eventually(lambda: program_pages(worker) < 25 * 2**20, "they are given back")
    assert server.get().text == "served"
