"""Commits that wait for the polling thread, and the one that is under way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kubeless_kafka.partition import Partition

Offsets = list[tuple[Partition, int]]
Answers = list[tuple[Partition, int, KafkaError | None]]

# Longer than a request takes. One that waits for a coordinator may be answered later still: then it is nobody's, and
# what was asked for again meanwhile is no older.
ANSWER_SECONDS = 90.0


class CommitRequests:
    """Added by any thread, begun and answered in the polling one: it is the only one that the client lets commit.

    One at a time: an older offset must not come after a newer one. ``owns`` says whether a partition is still ours.
    """

    def __init__(self, topic: str, owns: Callable[[Partition], bool]) -> None:
        self._topic = topic
        self._owns = owns
        self._waiting: deque[tuple[Offsets, Future[Answers]]] = deque()
        # With the time by which it is answered.
        self._begun: tuple[Offsets, Future[Answers], float] | None = None

    def add(self, offsets: Offsets) -> Future[Answers]:
        """Have these committed; what is not ours any more by then is left out.

        The result has an error for each that was refused; it raises KafkaException when none was answered.
        """
        future: Future[Answers] = Future()
        self._waiting.append((offsets, future))
        return future

    def begin_next(self, consumer: Consumer) -> None:
        """Ask for the next one, unless one is under way."""
        now = time.monotonic()
        if self._begun is not None and now > self._begun[2]:
            self._fail(KafkaError(KafkaError._TIMED_OUT))
        if self._begun is not None or not self._waiting:
            return
        offsets, future = self._waiting.popleft()
        mine = [pair for pair in offsets if self._owns(pair[0])]
        if not future.set_running_or_notify_cancel():
            return
        if not mine:
            future.set_result([])
            return
        self._begun = (mine, future, now + ANSWER_SECONDS)
        try:
            consumer.commit(offsets=self.positions(mine), asynchronous=True)
        except KafkaException as error:
            self._fail(error.args[0])

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """librdkafka's callback for a commit that was asked for, by this class or by anybody.

        It tells of synchronous commits, too, and of those only at the next poll: what has other offsets than the one
        that is under way is another's answer.
        """
        if self._begun is None:
            return
        offsets, future, _ = self._begun
        if not partitions:
            # Whosever it was: to commit again does no harm, to wait would.
            self._fail(error or KafkaError(KafkaError._NO_OFFSET))
            return
        asked = {(one.number, offset) for one, offset in offsets}
        if {(one.partition, one.offset) for one in partitions} != asked:
            return
        self._begun = None
        own = {one.partition: one.error for one in partitions}
        # An error of the whole is one of each: to commit again does no harm, to take it for done would.
        failures = {number: error if one is None else one for number, one in own.items()}
        future.set_result([(one, offset, failures[one.number]) for one, offset in offsets])

    def end(self) -> None:
        """The client is gone: nothing is answered any more."""
        self._fail(KafkaError(KafkaError._STATE))
        while self._waiting:
            future = self._waiting.popleft()[1]
            if future.set_running_or_notify_cancel():
                future.set_exception(KafkaException(KafkaError(KafkaError._STATE)))

    def _fail(self, error: KafkaError) -> None:
        """What is under way, if anything is, was not answered."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun[1].set_exception(KafkaException(error))

    def positions(self, offsets: Offsets) -> list[TopicPartition]:
        """As the client wants them, each with what its partition keeps as metadata."""
        return [TopicPartition(self._topic, p.number, o, p.metadata) for p, o in offsets]
