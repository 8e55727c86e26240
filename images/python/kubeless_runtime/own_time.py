"""The time that a process had: for which it computed, or waited for something else than a processor.

On a busy node, or above its CPU limit, a process that has much to do gets less of it than
the clock says. Whether a thread wants a processor is seen only when one looks, so that has
to be often.
"""

from __future__ import annotations

import os
import time

#: Seconds that one look adds at the most: who looks late was kept waiting too. And at the least: it has a price.
_MOST = 0.1
_LEAST = 0.02

_TICKS = os.sysconf("SC_CLK_TCK")


class OwnTime:
    """The time of one process since this was made; ``but`` is a thread that does not count, such as who looks."""

    def __init__(self, pid: int, but: int = 0) -> None:
        self._folder = f"/proc/{pid}"
        self._but = str(but)
        self._seconds = 0.0
        self._at = time.monotonic()
        self._computed = self._read()

    def look(self) -> float:
        """In seconds, as of this look."""
        at = time.monotonic()
        if at - self._at < _LEAST:
            return self._seconds
        computed, passed = self._read(), min(at - self._at, _MOST)
        self._seconds += min(computed - self._computed, passed) if self._ready() else passed
        self._at, self._computed = at, computed
        return self._seconds

    def _read(self) -> float:
        """Processor time of all threads so far, also of those that ended."""
        fields = _stat(f"{self._folder}/stat")
        return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0

    def _ready(self) -> bool:
        """Whether any thread computes, or would with a processor."""
        tasks = f"{self._folder}/task"
        try:
            threads = os.listdir(tasks)
        except OSError:
            return False
        return any(
            _stat(f"{tasks}/{thread}/stat")[:1] == ["R"]
            for thread in threads
            if thread != self._but
        )


def _stat(file: str) -> list[str]:
    """The fields that follow a process's or thread's name, from its state on; [] when it is gone."""
    try:
        with open(file, encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return []
