"""Commits what is done, each quarter of a second or as soon as a good part of the window is done."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException

from kubeless_kafka import errors
from kubeless_kafka.metrics import FunctionMetrics
from kubeless_kafka.partition import Partition
from kubeless_kafka.poller import Poller
from kubeless_kafka.problems import Board

log = logging.getLogger("kubeless.kafka")

COMMIT_SECONDS = 0.25
# The group is being put together anew, or others have the partition: the next commit, or theirs, tells.
_PASSING = frozenset(
    {
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._NO_OFFSET,
        KafkaError._STATE,
    }
)


def due(partitions: Iterable[Partition]) -> list[tuple[Partition, int]]:
    """Those of which the brokers do not have all that is done, with the offset to commit."""
    return [(one, one.tracker.watermark) for one in partitions if one.alive and one.tracker.dirty]


class Committer:
    """Commits for one function. ``partitions`` are those that are assigned, ``window`` is maxUncommitted."""

    def __init__(
        self,
        poller: Poller,
        board: Board,
        metrics: FunctionMetrics,
        partitions: Callable[[], Sequence[Partition]],
        window: Callable[[], int],
        committed: Callable[[], None],
    ) -> None:
        self._poller = poller
        self._board = board
        self._metrics = metrics
        self._partitions = partitions
        self._window = window
        self._committed = committed
        self._wanted = asyncio.Event()

    def finished(self, partition: Partition) -> None:
        """Records of this partition are done."""
        if partition.tracker.due * 4 >= self._window():
            self._wanted.set()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), COMMIT_SECONDS)
            self._wanted.clear()
            if not await self.commit(self._partitions()):
                await asyncio.sleep(COMMIT_SECONDS)

    async def commit(self, partitions: Sequence[Partition]) -> bool:
        """Commit what is done of these, and wait for the brokers; False when not all was taken."""
        wanted = due(partitions)
        if not wanted:
            return True
        began = time.monotonic()
        try:
            answers = await asyncio.wrap_future(self._poller.commit(wanted))
        except KafkaException as error:
            self._failed(error.args[0])
            return False
        self._metrics.commit_seconds.observe(time.monotonic() - began)
        whole = True
        for partition, offset, failure in answers:
            if failure is not None:
                self._failed(failure)
                whole = False
            elif partition.alive:
                partition.tracker.acknowledge(offset)
        self._committed()
        return whole

    def _failed(self, error: KafkaError) -> None:
        if error.code() in _PASSING:
            log.info("not committed yet: %s", error.str())
            return
        log.warning("not committed: %s", error.str())
        reason = errors.reason(error.code())
        if reason == "AuthorizationFailed":
            self._board.set(reason, f"offsets cannot be committed: {error.str()}")
            self._poller.reopen()
