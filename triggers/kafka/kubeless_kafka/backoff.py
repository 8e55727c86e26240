"""How long to wait before the next attempt, in seconds."""

from __future__ import annotations

import random
from datetime import UTC
from email.utils import parsedate_to_datetime


def delay(attempt: int, initial: float, longest: float) -> float:
    """After the ``attempt``-th failure, from 1: doubled each time up to ``longest``, with jitter down to a half.

    Without jitter, records that failed together would come back together.
    """
    # 2 ** 40 s is beyond any longest; larger powers would end in an overflow.
    full = min(longest, initial * 2.0 ** min(attempt - 1, 40))
    return full * random.uniform(0.5, 1.0)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds that a Retry-After header asks for: a number or an HTTP date; None when it is neither.

    ``now`` is in seconds since 1970.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)
