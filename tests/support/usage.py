"""Where a run's time went: a table of folders, and the slowest tests.

Wall seconds are those of the tests, also while others ran beside them. Processor seconds are those of the test's
process and all that it started; and those of the rest of the machine, where the local cluster is, in equal parts for
the tests that were using the cluster.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

TICKS = os.sysconf("SC_CLK_TCK")
PROPERTY = "processor seconds"
SLOWEST = 10
SAMPLE_SECONDS = 1.0
LEAST_SECONDS = 20.0
"""Runs that are shorter get no table."""


def tree_seconds(pid: int) -> float:
    """Processor seconds of a process, of its descendants, and of those that they waited for."""
    total = 0
    with contextlib.suppress(OSError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return total / TICKS + sum(tree_seconds(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def busy_seconds() -> float:
    """Processor seconds that this machine has worked since it was started."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / TICKS


class Meter:
    """In the process that runs tests: notes with each test what its process and all that it started used."""

    def __init__(self) -> None:
        self._before = tree_seconds(os.getpid())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "teardown":
            now = tree_seconds(os.getpid())
            # What was killed without being waited for takes its share away.
            report.user_properties.append((PROPERTY, max(0.0, now - self._before)))
            self._before = now
        return report


@dataclass
class Row:
    """What a folder's tests took."""

    tests: int = 0
    wall: float = 0.0
    processor: float = 0.0


class Usage:
    """In the process that reports: adds up what all tests took, and prints it at the end."""

    def __init__(self, uses_cluster: Callable[[str], bool]) -> None:
        self._uses_cluster = uses_cluster
        self._began = time.monotonic()
        self._running: set[str] = set()
        self._folders: dict[str, Row] = defaultdict(Row)
        self._tests: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._busy_before = self._busy = busy_seconds()
        self._own = tree_seconds(os.getpid())
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        with self._lock:
            self._running.add(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        with self._lock:
            self._running.discard(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self._lock:
            row = self._folders[folder(report.nodeid)]
            row.wall += report.duration
            self._tests[report.nodeid] += report.duration
            if report.when == "teardown":
                row.tests += 1
                row.processor += sum(
                    value for name, value in report.user_properties if name == PROPERTY
                )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._stop.set()
        self._sampler.join()
        self._look()
        seconds = time.monotonic() - self._began
        if seconds < LEAST_SECONDS:
            return
        busy = self._busy - self._busy_before
        terminalreporter.section("where the time went")
        terminalreporter.line(f"{'tests':>7}{'wall s':>9}{'CPU s':>9}  folder")
        for name, row in sorted(self._folders.items(), key=lambda item: -item[1].wall):
            terminalreporter.line(f"{row.tests:>7}{row.wall:>9.0f}{row.processor:>9.0f}  {name}")
        known = sum(row.processor for row in self._folders.values())
        terminalreporter.line(f"{'':>16}{max(0.0, busy - known):>9.0f}  between tests")
        terminalreporter.line(
            f"{sum(row.tests for row in self._folders.values()):>7}{seconds:>9.0f}{busy:>9.0f}  "
            f"in all, on {os.cpu_count()} processors"
        )
        terminalreporter.line("")
        terminalreporter.line(
            f"{'wall s':>7}  the slowest tests, with what they set up and took down"
        )
        for name, wall in sorted(self._tests.items(), key=lambda item: -item[1])[:SLOWEST]:
            terminalreporter.line(f"{wall:>7.1f}  {name}")

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        """Give what the machine did since the last look, outside of pytest's processes, to those that use the cluster."""
        own, busy = tree_seconds(os.getpid()), busy_seconds()
        rest = (busy - self._busy) - max(0.0, own - self._own)
        self._own, self._busy = own, busy
        with self._lock:
            users = [name for name in self._running if self._uses_cluster(name)]
            for name in users:
                self._folders[folder(name)].processor += max(0.0, rest) / len(users)


def folder(nodeid: str) -> str:
    """The folder of a test's file."""
    return str(Path(nodeid.partition("::")[0]).parent)
