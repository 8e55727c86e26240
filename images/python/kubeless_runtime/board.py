"""Shared memory between the supervisor and its workers.

One anonymous mapping of doubles, made before the first fork. A *region* belongs
to one worker at a time; only that worker writes there, except that the
supervisor clears the flags of a dead one. Counters are never cleared: the next
owner of the region counts on, so totals survive the worker.

    board   DRAINING
    region  READY  RETIRE  ACTIVE  | counters | deadlines, one per slot
"""

from __future__ import annotations

import mmap

from kubeless_runtime.config import SLOTS
from kubeless_runtime.metrics import COUNTERS

DRAINING = 0
_HEADER = 8

READY = 0
RETIRE = 1
ACTIVE = 2
_COUNTERS = 8
_DEADLINES = _COUNTERS + COUNTERS
_REGION = _DEADLINES + SLOTS

#: Deadline values that are no time: the slot is free; the watchdog has taken the call over.
FREE = 0.0
TAKEN = -1.0


class Board:
    """The whole mapping."""

    def __init__(self, regions: int) -> None:
        self._map = mmap.mmap(-1, (_HEADER + regions * _REGION) * 8)
        self._view = memoryview(self._map).cast("d")
        self.regions = [Region(self._view, index) for index in range(regions)]

    @property
    def draining(self) -> bool:
        """Whether the pod was told to stop."""
        return self._view[DRAINING] != 0.0

    @draining.setter
    def draining(self, value: bool) -> None:
        self._view[DRAINING] = float(value)

    @property
    def active(self) -> float:
        """Calls that run now, over all workers."""
        return sum(region.flags[ACTIVE] for region in self.regions)


class Region:
    """One worker's part."""

    def __init__(self, view: memoryview[float], index: int) -> None:
        start = _HEADER + index * _REGION
        self.index = index
        self.flags = view[start : start + _COUNTERS]
        self.counters = view[start + _COUNTERS : start + _DEADLINES]
        self.deadlines = view[start + _DEADLINES : start + _REGION]

    def reset(self) -> None:
        """Free the region of a worker that is gone."""
        for flag in (READY, RETIRE, ACTIVE):
            self.flags[flag] = 0.0
        for slot in range(SLOTS):
            self.deadlines[slot] = FREE

    def earliest(self) -> float:
        """The earliest deadline of a call that nobody has taken over; infinity without one."""
        return min((d for d in self.deadlines.tolist() if d > 0.0), default=float("inf"))
