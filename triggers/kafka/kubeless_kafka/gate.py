"""When to stop taking records from Kafka, and how.

The client must be polled to stay in its group, and what is polled has to be kept: so for a short while nothing is polled
at all, and when that is not enough the partitions that are full are paused and polling goes on. Pausing throws away what
was fetched ahead: it is for outages and for functions that are slow for long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Records of a partition that wait to be taken; more than a fetch brings.
HIGH_RECORDS = 1000
# One partition that is full holds up the others for this long, at most.
HOLD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What of a partition is in memory: records that nobody has taken yet, and the bytes of all that are unfinished."""

    waiting: int
    size: int


@dataclass(frozen=True, slots=True)
class Decision:
    """``hold``: do not poll now. ``paused``: partitions to be paused, with the reason; all others are not."""

    hold: bool
    paused: Mapping[int, str]


class Gate:
    """Decides for the partitions of one function."""

    def __init__(self, hold_seconds: float = HOLD_SECONDS) -> None:
        self._hold_seconds = hold_seconds
        self._full_since: dict[int, float] = {}
        self._paused: dict[int, str] = {}

    def decide(self, now: float, loads: Mapping[int, Load], room: int, stopped: str) -> Decision:
        """``now`` in seconds on a clock that does not jump; ``room`` in bytes for all partitions together; ``stopped``
        says why nothing is wanted at all, or is ''.
        """
        if stopped:
            self._paused = dict.fromkeys(loads, stopped)
            self._full_since.clear()
            return Decision(False, self._paused)
        heavy = sum(load.size for load in loads.values())
        hold = False
        paused: dict[int, str] = {}
        for partition, load in loads.items():
            was_paused = partition in self._paused
            # Once paused, half of it must be done: it shall not pause for each record.
            part = 2 if was_paused else 1
            full = load.waiting >= HIGH_RECORDS // part or (heavy >= room // part and load.size > 0)
            if not full:
                self._full_since.pop(partition, None)
                continue
            since = self._full_since.setdefault(partition, now)
            if was_paused or now - since >= self._hold_seconds:
                paused[partition] = "the function is slower than the topic"
            else:
                hold = True
        for partition in self._full_since.keys() - loads.keys():
            del self._full_since[partition]
        self._paused = paused
        return Decision(hold, paused)
