"""Dead letters: which there are, and one of them in full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from kubeless_kafka.admin.failure import Failure, failure_of
from kubeless_kafka.admin.frames import Body
from kubeless_kafka.admin.kafka import REQUEST_SECONDS, Kafka, call
from kubeless_kafka.admin.sent import Sent

Object = dict[str, Any]
Headers = list[tuple[str, Body]]

PREFIX = "kubeless-dlq-"
SILENCE_SECONDS = 30.0
# What a list shows of a key or an error.
SHOWN = 1000


class DeadLetters:
    """A dead-letter topic, and how far its records were sent again.

    ``bounds`` has for each partition the oldest offset there is and the next that will be written.
    """

    def __init__(self, kafka: Kafka, topic: str, group: str) -> None:
        self.topic = topic
        try:
            partitions = sorted(kafka.topic(topic).partitions)
        except Failure as failure:
            # Consumers make it with the first dead letter.
            if failure.reason != "TopicNotFound":
                raise
            partitions = []
        self.consumer: Consumer = kafka.consumer(group)
        self.bounds: dict[int, tuple[int, int]] = {}
        for partition in partitions:
            self.bounds[partition] = call(
                f"topic '{topic}'",
                partial(
                    self.consumer.get_watermark_offsets,
                    TopicPartition(topic, partition),
                    timeout=REQUEST_SECONDS,
                ),
            )
        self.sent = self._read_sent()

    def _read_sent(self) -> dict[int, Sent]:
        if not self.bounds:
            return {}
        asked = [TopicPartition(self.topic, partition) for partition in self.bounds]
        found = call(
            "how far dead letters were sent again",
            lambda: self.consumer.committed(asked, timeout=REQUEST_SECONDS),
        )
        for place in found:
            if place.error is not None:
                raise failure_of(place.error, "how far dead letters were sent again")
        return {
            place.partition: Sent.read(
                place.offset, place.metadata or "", self.bounds[place.partition][0]
            )
            for place in found
        }

    def commit(self) -> None:
        """Keep what was sent. Raises Failure."""
        places = [
            TopicPartition(self.topic, partition, sent.base, sent.text)
            for partition, sent in self.sent.items()
        ]
        committed = call(
            "how far dead letters were sent again",
            lambda: self.consumer.commit(offsets=places, asynchronous=False),
        )
        for place in committed or []:
            if place.error is not None:
                raise failure_of(place.error, "how far dead letters were sent again")

    def bound(self, partition: int) -> tuple[int, int]:
        """The bounds of one partition. Raises Failure when there is none."""
        if not self.bounds:
            raise Failure(
                "RecordNotFound",
                f"There are no dead letters: topic '{self.topic}' is made with the first one.",
            )
        if partition not in self.bounds:
            raise Failure(
                "PartitionNotFound",
                f"Topic '{self.topic}' has no partition {partition}; it has {len(self.bounds)}, "
                "beginning with 0.",
            )
        return self.bounds[partition]

    def records(self, ranges: dict[int, tuple[int, int]]) -> Iterator[Message]:
        """The records in [start, end) of each partition, each partition's in order. Raises Failure."""
        ends = {partition: end for partition, (start, end) in ranges.items() if start < end}
        self.consumer.assign(
            [TopicPartition(self.topic, partition, ranges[partition][0]) for partition in ends]
        )
        heard = time.monotonic()
        while ends:
            message = self.consumer.poll(1.0)
            if message is None:
                if time.monotonic() - heard > SILENCE_SECONDS:
                    raise Failure(
                        "BrokerUnreachable",
                        f"The brokers give no records of topic '{self.topic}' any more; try again.",
                    )
                continue
            heard = time.monotonic()
            error, (partition, offset) = message.error(), place(message)
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    raise failure_of(error, f"topic '{self.topic}'")
                ends.pop(partition, None)
                continue
            if partition not in ends:
                continue
            if offset < ends[partition]:
                yield message
            if offset + 1 >= ends[partition]:
                ends.pop(partition)
        self.consumer.unassign()


def list_records(letters: DeadLetters, arguments: Object) -> Iterator[tuple[Object, list[Body]]]:
    """The newest records, or those of one partition from an offset on; at most ``limit``.

    Each is an object with its key as a body. Raises Failure.
    """
    limit = int(arguments.get("limit", 20))
    partition, offset = arguments.get("partition"), arguments.get("offset")
    if partition is None:
        ranges = {p: (max(low, high - limit), high) for p, (low, high) in letters.bounds.items()}
    else:
        low, high = letters.bound(int(partition))
        first = max(low, high - limit) if offset is None else max(low, int(offset))
        ranges = {int(partition): (first, min(high, first + limit))}
    found = [
        (message.timestamp()[1], summary(letters, message), [_start(message.key())])
        for message in letters.records(ranges)
    ]
    if partition is None:
        found = sorted(found, key=lambda entry: entry[0])[-limit:] if limit else []
    for _, head, bodies in found:
        yield head, bodies


def counts(letters: DeadLetters) -> Object:
    """How many records there are. Offsets that compaction or retention emptied may count."""
    return {
        "topic": letters.topic,
        "partitions": [
            {
                "partition": partition,
                "records": high - low,
                "low": low,
                "high": high,
                "sentBelow": letters.sent[partition].base,
            }
            for partition, (low, high) in letters.bounds.items()
        ],
    }


def show(letters: DeadLetters, arguments: Object) -> tuple[Object, list[Body]]:
    """One record: a summary with its headers' names; bodies are key, value and each header's value."""
    partition, offset = int(arguments["partition"]), int(arguments["offset"])
    message = one(letters, partition, offset)
    headers = headers_of(message)
    head = {**summary(letters, message), "headers": [name for name, _ in headers]}
    return head, [message.key(), message.value(), *(value for _, value in headers)]


def one(letters: DeadLetters, partition: int, offset: int) -> Message:
    """The record at that place. Raises Failure when it is not there."""
    low, high = letters.bound(partition)
    for message in letters.records(
        {partition: (offset, offset + 1)} if low <= offset < high else {}
    ):
        return message
    there = f"has the offsets {low} to {high - 1}" if low < high else "has no records"
    raise Failure(
        "RecordNotFound",
        f"There is no record {partition}/{offset} in topic '{letters.topic}': partition {partition} {there}.",
    )


def summary(letters: DeadLetters, message: Message) -> Object:
    """Where a record is, where it came from, and why it is a dead letter."""
    error = error_headers(message)
    partition, offset = place(message)
    return {
        "partition": partition,
        "offset": offset,
        "timestamp": message.timestamp()[1],
        "size": len(message.value() or b""),
        "sent": offset in letters.sent[partition],
        "deadLetter": {name: value[:SHOWN] for name, value in error.items()},
    }


def error_headers(message: Message) -> dict[str, str]:
    """What the consumer wrote beside the record, by name without the prefix."""
    return {
        name.removeprefix(PREFIX): (value or b"").decode("utf-8", "replace")
        for name, value in headers_of(message)
        if name.startswith(PREFIX)
    }


def headers_of(message: Message) -> Headers:
    """All headers of a record, in order; a value is bytes or None."""
    # A list of pairs: dicts are only for what is produced.
    found: Any = message.headers() or []
    return list(found)


def place(message: Message) -> tuple[int, int]:
    """Partition and offset of a record that was read."""
    return message.partition() or 0, message.offset() or 0


def _start(body: Body) -> Body:
    return None if body is None else body[:SHOWN]
