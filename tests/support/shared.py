"""What several processes of a test run use together, made by the first of them and removed by the last.

A process that was killed holds nothing any more: what it started is removed by the last of the others, and made anew by
the first that comes after it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path


def folder(name: str) -> Path:
    """Where the processes of this user keep what they must know of each other."""
    found = Path(tempfile.gettempdir()) / f"kubeless-tests-{os.getuid()}" / name
    found.mkdir(parents=True, exist_ok=True)
    return found


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this name; wait for whoever has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Shared:
    """One such thing, by its name.

    * ``start`` is called by the first process that uses it and ``stop`` by the last that leaves, never by two at once.
    * Whoever only holds it (``held``) does not start it, but keeps it from being stopped.
    * After a ``start`` that failed, the next process tries again.
    """

    def __init__(self, where: Path, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self._start, self._stop = start, stop
        self._lock = where / "lock"
        self._started = where / "started"
        self._holders = where / "holders"
        self._holders.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Have it started before, and not stopped until the end of the block."""
        with self.held():
            with locked(self._lock):
                if not self._started.exists():
                    self._start()
                    self._started.touch()
            yield

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Have it not stopped until the end of the block."""
        holder = self._holders / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        with locked(self._lock):
            if not self._left():
                self._started.unlink(missing_ok=True)
            holder.touch()
        try:
            yield
        finally:
            with locked(self._lock):
                holder.unlink()
                if not self._left() and self._started.exists():
                    self._started.unlink()
                    self._stop()

    def _left(self) -> bool:
        """Whether any process that runs holds it."""
        for holder in self._holders.iterdir():
            if not Path("/proc", holder.name.partition("-")[0]).exists():
                holder.unlink()
        return any(self._holders.iterdir())
