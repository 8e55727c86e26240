"""What an answer, or the lack of one, means for a record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Outcome(Enum):
    """What comes next for a record."""

    # The record is finished.
    SUCCESS = "Success"
    # Another attempt, which counts.
    RETRY = "Retry"
    # Another attempt, which does not count: the function has not seen the record.
    WAIT = "Wait"
    # No other attempt: the record goes to the dead-letter topic.
    DEAD_LETTER = "DeadLetter"


# 4xx that tell of the moment, not of the record.
_PASSING = frozenset({408, 429})


def of_status(status: int, *, retry_after: bool, table: Mapping[str, str]) -> Outcome:
    """The outcome of an answer. ``table`` maps a status (``404``) or a class (``5xx``) to an outcome's name.

    A status goes before its class, and both before the built-in rules.
    """
    named = table.get(str(status)) or table.get(f"{status // 100}xx")
    if named is not None:
        return Outcome(named)
    if 200 <= status < 300:
        return Outcome.SUCCESS
    if status == 503 and retry_after:
        return Outcome.WAIT
    if status >= 500 or status in _PASSING:
        return Outcome.RETRY
    return Outcome.DEAD_LETTER
