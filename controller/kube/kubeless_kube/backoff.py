"""How long to wait before trying again."""

from __future__ import annotations

import random


class Backoff:
    """Exponential back-off with full jitter on top of a half: never at once, never in step.

    ``next()`` gives seconds: first around ``initial``, doubling up to ``maximum``.
    """

    def __init__(self, initial: float, maximum: float) -> None:
        self._initial = initial
        self._maximum = maximum
        self._attempt = 0

    def next(self) -> float:
        """The seconds to wait before the coming attempt."""
        delay = delay_for(self._attempt, self._initial, self._maximum)
        self._attempt += 1
        return delay

    def reset(self) -> None:
        """Start from ``initial`` again."""
        self._attempt = 0


def delay_for(attempt: int, initial: float, maximum: float) -> float:
    """Seconds to wait after ``attempt`` (0 the first) failures."""
    full = min(maximum, initial * 2.0 ** min(attempt, 32))
    return full * random.uniform(0.5, 1.0)
