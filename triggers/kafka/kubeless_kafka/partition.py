"""A partition while it is assigned: what is fetched, what is under way, what is done."""

from __future__ import annotations

from collections import deque

from kubeless_kafka.commits import Tracker
from kubeless_kafka.config import Batch
from kubeless_kafka.gate import Load
from kubeless_kafka.lanes import Item, Lanes
from kubeless_kafka.record import Record

# Timers of the event loop may be this early.
TICK_SECONDS = 0.001


class Partition:
    """One assignment of a partition; assigned again, or begun anew, it is another object.

    So what comes late from an earlier assignment is seen by its object, and moves nothing. The event loop owns it, but for
    ``position`` and what is ``handed``, which the polling thread writes.
    """

    def __init__(
        self, number: int, offset: int, *, committed: bool, start: str, metadata: str
    ) -> None:
        self.number = number
        self.start = start
        self.metadata = metadata
        self.tracker = Tracker(offset, committed=committed)
        self.lanes = Lanes()
        self.backlog: deque[Record] = deque()
        # False: it is someone else's by now, nothing is called, finished or committed.
        self.alive = True
        # It ends: only what lies before the newest that was called is still called, so that all of it can be committed.
        self.closing = False
        # The newest offset that was called.
        self.newest = offset - 1
        # Calls and letters that are under way.
        self.away = 0
        # Records of it that are under way.
        self.in_flight = 0
        # Letters that cannot be produced; nothing is called while there are any.
        self.stuck = 0
        # The next offset to come from the broker.
        self.position = offset
        # The partition's end, as the brokers told it last.
        self.end: int | None = None
        self.paused = ""
        self.handed = 0
        self.handed_bytes = 0
        self.taken = 0
        self.done_bytes = 0
        # Until when a batch is gathered, on the event loop's clock.
        self.gathering: float | None = None

    @property
    def load(self) -> Load:
        """What of it is in memory. Read by the polling thread, a moment late at worst."""
        return Load(self.handed - self.taken, self.handed_bytes - self.done_bytes)

    @property
    def high_watermark(self) -> int | None:
        """The partition's end: what the brokers told, or what came since."""
        return None if self.end is None else max(self.end, self.position)

    @property
    def lag(self) -> int | None:
        """Records up to the end of the partition that are not finished, as offsets count them."""
        end = self.high_watermark
        return None if end is None else max(0, end - self.tracker.watermark)

    def fill(self, window: int) -> None:
        """Take what the window allows."""
        while self.backlog and not self.closing and self.tracker.uncommitted < window:
            record = self.backlog.popleft()
            self.taken += 1
            if self.tracker.take(record.offset):
                self.lanes.add(Item(record))
            else:
                self.done_bytes += record.size

    def close(self) -> None:
        """Begin nothing that is newer than what was begun."""
        if not self.closing:
            self.closing = True
            self.backlog.clear()
            self.lanes.keep_up_to(self.newest)

    def gathered(self, batch: Batch, now: float) -> bool:
        """Whether a batch may go: it is whole, or its first record has waited long enough."""
        if self.closing:
            return True
        if self.gathering is None and self.lanes.ready < batch.size:
            self.gathering = now + batch.wait
        whole = self.lanes.ready >= batch.size
        if whole or (self.gathering is not None and now >= self.gathering - TICK_SECONDS):
            self.gathering = None
            return True
        return False

    def finish(self, record: Record) -> None:
        """A record that was taken is done."""
        self.tracker.finish(record.offset)
        self.done_bytes += record.size
