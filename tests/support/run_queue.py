"""How long processes waited for a processor, so that a test of what they take measures them and not the machine."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType


class RunQueue:
    """While it is entered: seconds for which threads of these processes, and of this one, were ready to run and did not.

    As the kernel counts it for each thread (schedstat); 0 where it does not.
    """

    def __init__(self, *processes: int) -> None:
        self.seconds = 0.0
        self._processes = (*processes, os.getpid())
        self._before: dict[str, int] = {}

    def __enter__(self) -> RunQueue:
        self._before = self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        waited = (now - self._before.get(thread, 0) for thread, now in self._read().items())
        self.seconds = sum(waited) / 1e9

    def _read(self) -> dict[str, int]:
        """Nanoseconds that each thread has waited since it began."""
        found = {}
        for process in self._processes:
            for file in Path(f"/proc/{process}/task").glob("*/schedstat"):
                try:
                    found[file.parent.name] = int(file.read_text().split()[1])
                except OSError:
                    continue  # it has just ended
        return found
