"""Durations: a number of seconds, or text with units like '500ms' and '1m30s'."""

from __future__ import annotations

import re
from typing import Any

from kubeless_api.fields import wrong

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_TEXT = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse(value: Any, path: str, default: float, lowest: float, highest: float) -> float:
    """Seconds, from ``lowest`` to ``highest``; ``default`` when it is not set. Raises SpecError with ``path``."""
    if value is None or value == "":
        return default
    seconds = _seconds(value)
    if seconds is None or not lowest <= seconds <= highest:
        raise wrong(
            path,
            value,
            f"from {lowest:g} to {highest:g} seconds, as a number or like '500ms', '2s' or '1m30s'",
        )
    return seconds


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    if _NUMBER.fullmatch(value):
        return float(value)
    if _TEXT.fullmatch(value) is None:
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value)), 6)
