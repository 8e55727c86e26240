"""A record as it came from the topic."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(slots=True, eq=False)
class Record:
    """One record. ``timestamp`` is in milliseconds since 1970, None when the record has none; ``size`` in bytes."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    size: int

    @property
    def id(self) -> str:
        """Topic, partition and offset: what identifies it for ever."""
        return f"{self.topic}/{self.partition}/{self.offset}"
