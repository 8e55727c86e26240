"""Which offset of a partition may be committed: the low watermark of finished records.

A record is taken, in the order of offsets, and finished, in any order. What is committed is the offset before which
everything that was taken is finished. At most ``window`` records lie between what the broker has acknowledged as
committed and the newest that was taken: after a kill, no more than these are delivered again.
"""

from __future__ import annotations

from collections import deque


class Tracker:
    """The records of one partition that were taken and that the broker does not know as done.

    Offsets may have gaps: compaction and transactions leave some out.
    """

    def __init__(self, start: int, *, committed: bool) -> None:
        """``start`` is the first offset to come; ``committed`` says whether the broker has it already."""
        # The offset to commit: all before it is finished.
        self.watermark = start
        # What the broker has acknowledged; None until it has anything of us.
        self.acknowledged: int | None = start if committed else None
        # Offsets not finished or behind one that is not, in order; and those among them that are finished.
        self._open: deque[int] = deque()
        self._finished: set[int] = set()
        # Finished and not yet acknowledged, in order.
        self._behind: deque[int] = deque()
        self._newest = start - 1

    @property
    def uncommitted(self) -> int:
        """Records that were taken and that the broker does not know as done."""
        return len(self._open) + len(self._behind)

    @property
    def unfinished(self) -> int:
        """Records that were taken and are not finished."""
        return len(self._open) - len(self._finished)

    @property
    def due(self) -> int:
        """Records that a commit now would cover; 0 also when only the start itself is to be committed."""
        return len(self._behind)

    @property
    def dirty(self) -> bool:
        """Whether the broker does not have the watermark yet."""
        return self.acknowledged != self.watermark

    def take(self, offset: int) -> bool:
        """A record is taken. False, and nothing is done, for one that came before (a fetch that was repeated)."""
        if offset <= self._newest:
            return False
        self._newest = offset
        self._open.append(offset)
        return True

    def finish(self, offset: int) -> None:
        """A record that was taken is done. Raises ValueError for one that is not open: a bug, never to be committed."""
        if (
            not self._open
            or not self._open[0] <= offset <= self._newest
            or offset in self._finished
        ):
            raise ValueError(f"offset {offset} is not open")
        self._finished.add(offset)
        while self._open and self._open[0] in self._finished:
            first = self._open.popleft()
            self._finished.remove(first)
            self._behind.append(first)
            self.watermark = first + 1

    def acknowledge(self, offset: int) -> None:
        """The broker has committed this offset."""
        if self.acknowledged is None or offset > self.acknowledged:
            self.acknowledged = offset
        while self._behind and self._behind[0] < offset:
            self._behind.popleft()
