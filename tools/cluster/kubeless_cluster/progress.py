"""What the user sees of long steps, and how long they took the last time.

Everything goes to stderr: stdout belongs to commands whose output is used
(`env`, `kubeconfig`, `bin`).
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def say(text: str) -> None:
    """One line for the user."""
    print(text, file=sys.stderr, flush=True)


def seconds(value: float) -> str:
    """A duration in words: `0.4 s`, `12 s`, `3 min 5 s`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


class Durations:
    """Remembers, in one JSON file, how long each named step took."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _read(self) -> dict[str, float]:
        try:
            known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {k: float(v) for k, v in known.items() if isinstance(v, int | float)}

    def last(self, name: str) -> float | None:
        """Seconds that `name` took the last time it succeeded, if it ever did."""
        return self._read().get(name)

    def remember(self, name: str, took: float) -> None:
        known = self._read()
        known[name] = round(took, 1)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        part.replace(self.path)


@contextlib.contextmanager
def step(label: str, durations: Durations | None = None, key: str = "") -> Iterator[None]:
    """Say that `label` begins (and how long it took last time), then how long it took."""
    last = durations.last(key or label) if durations else None
    say(f"{label} ..." + (f" (last time {seconds(last)})" if last is not None else ""))
    begin = time.monotonic()
    yield
    took = time.monotonic() - begin
    if durations:
        durations.remember(key or label, took)
    say(f"{label}: done in {seconds(took)}")
