"""A queue of keys with work to do.

The model is client-go's workqueue: handlers add keys, workers get them, and
what a key means is looked up when it is worked on, not when it was added.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar

from kubeless_kube.backoff import delay_for

Key = TypeVar("Key", bound=Hashable)


class QueueMetrics(Protocol):
    """What a queue tells about itself; times are in seconds."""

    def added(self) -> None: ...
    def depth(self, keys: int) -> None: ...
    def waited(self, seconds: float) -> None: ...
    def worked(self, seconds: float) -> None: ...
    def retried(self) -> None: ...


class NoMetrics:
    """Tells nobody."""

    def added(self) -> None: ...
    def depth(self, keys: int) -> None: ...
    def waited(self, seconds: float) -> None: ...
    def worked(self, seconds: float) -> None: ...
    def retried(self) -> None: ...


class WorkQueue(Generic[Key]):
    """Keys to work on, for several workers.

    * A key that waits is there once, however often it was added.
    * A key is never with two workers; added meanwhile, it comes again after.
    * Keys come in the order in which they were first added.
    * ``retry`` comes back after a delay that grows with each failure of that key.
    * After ``shut_down`` nobody waits: ``get`` gives None.
    """

    def __init__(
        self,
        *,
        initial_delay: float = 0.05,
        maximum_delay: float = 60.0,
        metrics: QueueMetrics | None = None,
    ) -> None:
        self._initial_delay = initial_delay
        self._maximum_delay = maximum_delay
        self._metrics: QueueMetrics = metrics or NoMetrics()
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Key, float] = OrderedDict()
        self._working: dict[Key, float] = {}
        self._again: set[Key] = set()
        # A key that is due several times is due at the earliest; the heap may hold later leftovers.
        self._due: dict[Key, float] = {}
        self._delayed: list[tuple[float, int, Key]] = []
        self._sequence = 0
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key) -> None:
        """Have the key worked on as soon as a worker is free."""
        with self._changed:
            self._add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Have the key worked on in ``seconds``, or earlier when it is added before."""
        with self._changed:
            due = time.monotonic() + seconds
            if self._closed or self._due.get(key, due + 1) <= due:
                return
            self._due[key] = due
            self._sequence += 1
            heapq.heappush(self._delayed, (due, self._sequence, key))
            self._changed.notify()

    def retry(self, key: Key) -> float:
        """Add the key after its back-off, which grows; returns the delay in seconds."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        delay = delay_for(failures, self._initial_delay, self._maximum_delay)
        self._metrics.retried()
        self.add_after(key, delay)
        return delay

    def forget(self, key: Key) -> None:
        """Let the key's back-off start anew."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> Key | None:
        """Wait for a key; None after ``shut_down``. Every key got must be given back by ``done``."""
        with self._changed:
            while not self._closed:
                self._release_due()
                if self._waiting:
                    key, added = self._waiting.popitem(last=False)
                    now = time.monotonic()
                    self._working[key] = now
                    self._metrics.waited(now - added)
                    self._metrics.depth(len(self._waiting))
                    return key
                pause = self._delayed[0][0] - time.monotonic() if self._delayed else None
                self._changed.wait(pause)
            return None

    def done(self, key: Key) -> None:
        """Give a key back; if it was added meanwhile, it waits again."""
        with self._changed:
            started = self._working.pop(key)
            self._metrics.worked(time.monotonic() - started)
            if key in self._again:
                self._again.discard(key)
                self._add(key)

    def shut_down(self) -> None:
        """Wake all workers with None; what waits is dropped, since a start begins with everything."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def longest_work(self) -> float:
        """Seconds for which the oldest unfinished piece of work has been going on; 0.0 when idle."""
        with self._changed:
            oldest = min(self._working.values(), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def unfinished_work(self) -> float:
        """Seconds for which all unfinished pieces of work have been going on, added up."""
        with self._changed:
            started = list(self._working.values())
        now = time.monotonic()
        return sum(now - begin for begin in started)

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting)

    def _add(self, key: Key) -> None:
        if self._closed:
            return
        self._metrics.added()
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting[key] = time.monotonic()
            self._metrics.depth(len(self._waiting))
            self._changed.notify()

    def _release_due(self) -> None:
        now = time.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key = heapq.heappop(self._delayed)
            if self._due.get(key) == due:
                del self._due[key]
                self._add(key)
