"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(
    look: Callable[[], Found], what: str, seconds: float = 20.0, *, pause: float = 0.05
) -> Found:
    """Look every ``pause`` seconds until something true is found; fails with ``what`` and the last look."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s still not: {what}; last seen: {found!r}")
        time.sleep(pause)
