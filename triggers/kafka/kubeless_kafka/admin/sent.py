"""How far a topic's dead letters were sent again: kept in a consumer group, pure here.

What a group commits for a partition is one offset and a text. The offset is the first record that was
not sent; the text names the ranges after it that were, because a redrive may choose among records.
"""

from __future__ import annotations

from bisect import bisect_right

# Brokers take 4,096 bytes (offset.metadata.max.bytes).
MAX_TEXT = 4000
_PREFIX = "sent:"


class Sent:
    """The offsets of one partition that are done: all below `base`, and ranges above it."""

    def __init__(self, base: int, ranges: list[tuple[int, int]] | None = None) -> None:
        self.base = base
        self._ranges = list(ranges or [])  # [start, end), sorted, apart from each other

    def __contains__(self, offset: int) -> bool:
        if offset < self.base:
            return True
        index = bisect_right(self._ranges, (offset, float("inf"))) - 1
        return index >= 0 and offset < self._ranges[index][1]

    def add(self, start: int, end: int) -> None:
        """Mark start up to, without, end."""
        if end <= max(start, self.base):
            return
        merged: list[tuple[int, int]] = []
        for low, high in sorted([*self._ranges, (max(start, self.base), end)]):
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        if merged[0][0] <= self.base:
            self.base = max(self.base, merged.pop(0)[1])
        self._ranges = merged

    @property
    def text(self) -> str:
        """The ranges; "" for none. Each is how far after the one before it begins, and its length."""
        parts, last = [], self.base
        for start, end in self._ranges:
            parts.append(f"{start - last}+{end - start}")
            last = end
        return _PREFIX + ",".join(parts) if parts else ""

    @classmethod
    def read(cls, offset: int, text: str, low: int) -> Sent:
        """What was committed; below `low`, the oldest record there is, nothing can be sent any more.

        A negative offset is none: nothing was committed.
        """
        sent = cls(max(offset, 0))
        last = sent.base
        if offset >= 0 and text.startswith(_PREFIX):
            for part in text.removeprefix(_PREFIX).split(","):
                gap, _, length = part.partition("+")
                if not (gap.isdigit() and length.isdigit()):
                    break
                start = last + int(gap)
                last = start + int(length)
                sent.add(start, last)
        sent.add(sent.base, low)
        return sent
