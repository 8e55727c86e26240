"""Time that a test sets."""

from __future__ import annotations


class Clock:
    """A monotonic clock, in seconds, that stands until the test moves ``now``."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
