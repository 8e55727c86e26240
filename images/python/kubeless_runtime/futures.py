"""granian's futures without an event loop.

What granian can't give at once it gives as a future, and has the event loop call
back. Here the callback runs on the very thread of granian's pool that found the
result, so nobody waits and no other thread is woken for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Callbacks:
    """Stands where granian has an event loop."""

    def call_soon_threadsafe(
        self, callback: Callable[[Any], None], future: Any, *, context: list[Any]
    ) -> None:
        """The result came later: on with it."""
        callback(future)

    def call_soon(
        self, callback: Callable[[Any], None], future: Any, *, context: list[Any]
    ) -> None:
        """The result is there already: who asked learns that from ``ready``."""
        context.append(future)


def ready(future: Any, callback: Callable[[Any], None]) -> bool:
    """Whether the result is there; otherwise ``callback(future)`` is called when it is.

    Who gets True goes on by itself, in a loop: a callback within a callback could
    nest as deeply as a body has portions.
    """
    if future.done():
        return True
    at_once: list[Any] = []
    future.add_done_callback(callback, context=at_once)
    return bool(at_once)
