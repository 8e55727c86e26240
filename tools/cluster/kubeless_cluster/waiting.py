"""Waiting for a condition, and telling what is known when it does not come."""

from __future__ import annotations

import time
from collections.abc import Callable

from .errors import ClusterError

SECONDS = 90


def wait(what: str, ready: Callable[[], bool], explain: Callable[[], list[str]] = list) -> None:
    """Look until `ready`; after 90 s ClusterError with `what` and the lines of `explain`."""
    deadline = time.monotonic() + SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise ClusterError("\n".join([f"waited {SECONDS} s for {what}", *explain()]))
        time.sleep(0.1)
