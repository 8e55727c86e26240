"""One sentence about where something stands, with the reason that a program can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What a condition says: ``reason`` in CamelCase, ``message`` for a person."""

    ok: bool
    reason: str
    message: str
