"""The order within a partition: records of one key go one after the other, the others side by side.

A lane is the line of one key. It is ready (its first may go), away (its first have gone) or resting (its first wait for
another attempt). Records without a key have no order among them: each has a lane of its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from kubeless_kafka.record import Headers, Record

NO_CAP = 1 << 30


class State(Enum):
    """Where a lane's first records are."""

    READY = 1
    AWAY = 2
    RESTING = 3


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be produced before the record is finished: an answer, or a dead letter."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    dead: bool


@dataclass(slots=True, eq=False)
class Item:
    """A record on its way, what was tried with it, and with how many it may share a call (``cap``)."""

    record: Record
    attempts: int = 0
    # Answers that asked to wait, one after the other.
    waits: int = 0
    cap: int = NO_CAP
    # The last failure: its status (None when there was no answer) and what it was.
    status: int | None = None
    error: str = ""
    # Set once the function is not to be called again for it.
    letter: Letter | None = None


@dataclass(slots=True, eq=False)
class Lane:
    """The line of one key; None for a record that has none."""

    key: bytes | None
    waiting: deque[Item] = field(default_factory=deque)
    state: State = State.READY


class Lanes:
    """All lanes of a partition."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Lane] = {}
        self._ready: deque[Lane] = deque()
        # Records that could go now, in the lanes that are ready.
        self.ready = 0

    def add(self, item: Item) -> None:
        """A record that was taken; they come in the order of offsets."""
        key = item.record.key
        lane = None if key is None else self._by_key.get(key)
        if lane is None:
            lane = Lane(key)
            if key is not None:
                self._by_key[key] = lane
            self._ready.append(lane)
        lane.waiting.append(item)
        if lane.state is State.READY:
            self.ready += 1

    def take(self, limit: int, max_bytes: int) -> list[tuple[Lane, list[Item]]]:
        """Up to ``limit`` records for one call, with the lanes they are from, in the order of each lane.

        At least one when any is ready, then as long as they fit into ``max_bytes`` and into the cap of each of them.
        """
        taken: list[tuple[Lane, list[Item]]] = []
        count = size = 0
        while self._ready and count < limit:
            lane = self._ready[0]
            items: list[Item] = []
            while lane.waiting and count < limit:
                item = lane.waiting[0]
                if count and (count + 1 > item.cap or size + item.record.size > max_bytes):
                    limit = count
                    break
                items.append(lane.waiting.popleft())
                count += 1
                size += item.record.size
                limit = min(limit, item.cap)
            if items:
                self._ready.popleft()
                self.ready -= len(items) + len(lane.waiting)
                lane.state = State.AWAY
                taken.append((lane, items))
        return taken

    def keep_up_to(self, offset: int) -> None:
        """Forget what came later and has not been taken."""
        keyless = [lane for lane in self._ready if lane.key is None]
        for lane in [*self._by_key.values(), *keyless]:
            lane.waiting = deque(item for item in lane.waiting if item.record.offset <= offset)
            if not lane.waiting and lane.state is State.READY and lane.key is not None:
                del self._by_key[lane.key]
        self._ready = deque(lane for lane in self._ready if lane.waiting)
        self.ready = sum(len(lane.waiting) for lane in self._ready)

    def release(self, lane: Lane) -> None:
        """What was taken of a lane is finished: the next may go."""
        if lane.waiting:
            lane.state = State.READY
            self._ready.append(lane)
            self.ready += len(lane.waiting)
        elif lane.key is not None:
            del self._by_key[lane.key]

    def put_back(self, lane: Lane, items: list[Item]) -> None:
        """These go again, before the others of the lane, once it is woken."""
        lane.waiting.extendleft(reversed(items))
        lane.state = State.RESTING

    def wake(self, lane: Lane) -> None:
        """A lane has rested. It goes before those that came later."""
        lane.state = State.READY
        self._ready.appendleft(lane)
        self.ready += len(lane.waiting)
