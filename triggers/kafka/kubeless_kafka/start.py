"""From where a partition is read that its group has no offset for. The choice is made once, and committed.

With the first offset that a group gets, its birth is kept in the offset's metadata: how many partitions the topic
had and when that was. A partition that existed then and has no offset yet (another consumer took it and died, or has not
come to it) is read from that time on; one that was added later is read from its start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_METADATA = re.compile(r"kubeless/1 partitions=(\d{1,9}) time=(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Birth:
    """When a group began: partitions of the topic, and milliseconds since 1970."""

    partitions: int
    time: int

    @property
    def metadata(self) -> str:
        """As it is kept beside each offset."""
        return f"kubeless/1 partitions={self.partitions} time={self.time}"


@dataclass(frozen=True, slots=True)
class Committed:
    """What a group has for one partition."""

    offset: int
    metadata: str


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: ``kind`` is committed, earliest, latest or time.

    ``offset`` is set for committed, ``time`` (milliseconds since 1970) for time.
    """

    kind: str
    offset: int = 0
    time: int = 0

    @property
    def status(self) -> str:
        """The word for it in the status."""
        return "latest" if self.kind == "time" else self.kind


def birth(committed: Mapping[int, Committed]) -> Birth | None:
    """The birth of a group by what it has committed; None when nothing tells of it."""
    for found in committed.values():
        match = _METADATA.fullmatch(found.metadata)
        if match:
            return Birth(int(match[1]), int(match[2]))
    return None


def decide(
    partition: int, committed: Mapping[int, Committed], wanted: str, *, topic_was_missing: bool
) -> Start:
    """The start of a partition.

    ``committed`` is what the group has for the topic's partitions, ``wanted`` what the trigger says: latest or earliest.
    """
    own = committed.get(partition)
    if own is not None:
        return Start("committed", offset=own.offset)
    if wanted == "earliest" or topic_was_missing:
        return Start("earliest")
    if not committed:
        return Start("latest")
    born = birth(committed)
    if born is not None and partition < born.partitions:
        return Start("time", time=born.time)
    return Start("earliest")


def most_telling(kinds: set[str]) -> str | None:
    """One word for the starts of several partitions: earliest before latest before committed."""
    return next((kind for kind in ("earliest", "latest", "committed") if kind in kinds), None)
