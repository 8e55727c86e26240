"""Amounts as users type them: Kubernetes quantities (`128Mi`, `500m`) and durations (`1h30m`)."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"\+?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_DURATION = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def check_quantity(value: str, example: str) -> None:
    """Raise ValueError unless `value` is a positive Kubernetes quantity."""
    match = _QUANTITY.fullmatch(value)
    if not match:
        hint = " ('K' is written 'k' or 'Ki')" if re.fullmatch(r"[\d.]+K", value) else ""
        raise ValueError(
            f"'{value}' is not an amount{hint}: expected a number with an optional suffix such as "
            f"{example}."
        )
    if float(match.group(1)) == 0:
        raise ValueError(f"'{value}' is nothing: expected more than zero, such as {example}.")


def parse_duration(value: str) -> int:
    """Seconds in `90`, `90s`, `5m`, `1h30m`, `2d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(value.strip())
    if not match:
        raise ValueError(f"'{value}' is not a duration: expected one such as 30s, 5m or 1h30m.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
