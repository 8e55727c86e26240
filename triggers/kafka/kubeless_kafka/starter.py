"""Finds from where assigned partitions are read, and commits a choice at once."""

from __future__ import annotations

import logging
import threading
import time

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from kubeless_kafka import errors
from kubeless_kafka.connection import Settings
from kubeless_kafka.partition import Partition
from kubeless_kafka.start import Birth, Committed, Start, birth, decide

log = logging.getLogger("kubeless.kafka")

REQUEST_SECONDS = 10.0
# How long an assignment may wait for brokers that do not answer; then the client joins anew.
GIVE_UP_SECONDS = 30.0
_FINAL = frozenset({"AuthorizationFailed", "AuthenticationFailed", "TLSFailed"})


class StartError(Exception):
    """No start can be found now; ``reason`` is one of the status'."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error.str())
        self.reason = errors.reason(error.code())


class Starter:
    """For one topic and group. ``wanted`` is latest or earliest."""

    def __init__(self, topic: str, wanted: str, overrides: Settings | None = None) -> None:
        self._topic = topic
        self._wanted = wanted
        # Set by whoever sees it: then the topic is read from its start once it is there.
        self.topic_was_missing = False
        self.overrides: Settings = overrides or {}

    def begin(
        self, consumer: Consumer, numbers: list[int], stop: threading.Event
    ) -> list[Partition]:
        """The partitions with these numbers, from where they are to be read. Raises StartError.

        Called in the assignment's callback; it asks the brokers, and again when they do not answer.
        """
        if not numbers:
            return []
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return self._begin(consumer, numbers)
            except KafkaException as error:
                failed = StartError(error.args[0])
                if failed.reason in _FINAL or time.monotonic() > deadline or stop.wait(0.5):
                    raise failed from error

    def earliest(self, consumer: Consumer, before: Partition) -> Partition:
        """A partition anew, from the oldest record that there is. Raises KafkaException."""
        low, _ = self._ends(consumer, before.number)
        return Partition(
            before.number, low, committed=False, start="earliest", metadata=before.metadata
        )

    def _begin(self, consumer: Consumer, numbers: list[int]) -> list[Partition]:
        committed, count = self._committed(consumer, numbers)
        born = birth(committed)
        if born is None:
            born = Birth(count, int(time.time() * 1000))
        # A group of the original's has offsets without a birth: which partitions it knew cannot be told.
        metadata = born.metadata if birth(committed) or not committed else ""
        partitions = []
        for number in numbers:
            start = decide(
                number, committed, self._wanted, topic_was_missing=self.topic_was_missing
            )
            offset = self._offset(consumer, number, start)
            partitions.append(
                Partition(
                    number,
                    offset,
                    committed=start.kind == "committed",
                    start=start.status,
                    metadata=metadata,
                )
            )
        self._commit([one for one in partitions if one.start != "committed"], consumer)
        return partitions

    def _committed(
        self, consumer: Consumer, numbers: list[int]
    ) -> tuple[dict[int, Committed], int]:
        """What the group has for the topic, and how many partitions that has."""
        topic = consumer.list_topics(self._topic, timeout=REQUEST_SECONDS).topics.get(self._topic)
        known = set(numbers) | set(topic.partitions if topic is not None else ())
        asked = [TopicPartition(self._topic, number) for number in sorted(known)]
        found = {}
        for one in consumer.committed(asked, timeout=REQUEST_SECONDS):
            if one.error is not None:
                raise KafkaException(one.error)
            if one.offset >= 0:
                found[one.partition] = Committed(one.offset, one.metadata or "")
            elif one.offset != OFFSET_INVALID:
                log.warning("the committed offset of partition %d is %d", one.partition, one.offset)
        return found, len(known)

    def _offset(self, consumer: Consumer, number: int, start: Start) -> int:
        if start.kind == "committed":
            return start.offset
        low, high = self._ends(consumer, number)
        if start.kind == "earliest":
            return low
        if start.kind == "time":
            asked = [TopicPartition(self._topic, number, start.time)]
            found = consumer.offsets_for_times(asked, timeout=REQUEST_SECONDS)[0]
            if found.error is not None:
                raise KafkaException(found.error)
            if found.offset >= 0:
                return int(found.offset)
        return high

    def _ends(self, consumer: Consumer, number: int) -> tuple[int, int]:
        where = TopicPartition(self._topic, number)
        found = consumer.get_watermark_offsets(where, timeout=REQUEST_SECONDS, cached=False)
        if found is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        low, high = found
        return low, high

    def _commit(self, chosen: list[Partition], consumer: Consumer) -> None:
        """The choice is made once: whoever reads these partitions next finds it. What fails is committed later."""
        if not chosen:
            return
        offsets = [
            TopicPartition(self._topic, one.number, one.position, one.metadata) for one in chosen
        ]
        try:
            done = consumer.commit(offsets=offsets, asynchronous=False) or []
        except KafkaException as error:
            log.warning("the start was not committed yet: %s", error.args[0].str())
            return
        by_number = {one.number: one for one in chosen}
        for one in done:
            if one.error is None:
                by_number[one.partition].tracker.acknowledge(one.offset)
