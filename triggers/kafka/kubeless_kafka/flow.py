"""How many calls a function gets at once, and what happens when it is not there."""

from __future__ import annotations

import random

PROBE_SECONDS = (0.1, 5.0)
# Answers that ask to wait come in bursts: one burst lowers the number of calls once.
LOWER_SECONDS = 0.2


class Concurrency:
    """Calls at once: up to the limit; fewer while the function answers that it has no room."""

    def __init__(self) -> None:
        self._allowed = float("inf")
        self._lowered = 0.0

    def allowed(self, limit: int) -> int:
        """How many there may be now."""
        return max(1, int(min(self._allowed, limit)))

    def refused(self, in_flight: int, now: float) -> None:
        """The function has no room for one of ``in_flight`` calls."""
        if now - self._lowered >= LOWER_SECONDS:
            self._lowered = now
            self._allowed = max(1.0, min(self._allowed, in_flight) * 0.7)

    def answered(self) -> None:
        """It had room."""
        if self._allowed != float("inf"):
            self._allowed += 1.0 / self._allowed


class Outage:
    """Nobody takes the function's calls: one record goes on trying, with longer and longer pauses."""

    def __init__(self, now: float) -> None:
        self.since = now
        self._pause = PROBE_SECONDS[0]
        # When the next call may be made.
        self.next = now + self._pause

    def failed(self, called: float, now: float) -> None:
        """A call that was made at ``called`` did not get through; those from before the outage tell nothing new."""
        if called < self.next:
            return
        self._pause = min(self._pause * 2, PROBE_SECONDS[1])
        self.next = now + self._pause * random.uniform(0.75, 1.0)
