"""Sending dead letters again: to the topic that they came from, or to another one.

Each record is acknowledged before it counts as sent, and what was sent is committed batch by batch, so
that the same command again goes on where it was. Killed between an acknowledgement and the commit, it
sends that batch again: at least once, as everything here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Message, Producer

from kubeless_kafka.admin.dead_letters import (
    PREFIX,
    DeadLetters,
    error_headers,
    headers_of,
    one,
    place,
)
from kubeless_kafka.admin.failure import Failure
from kubeless_kafka.admin.frames import Body
from kubeless_kafka.admin.kafka import Kafka
from kubeless_kafka.admin.publish import Deliveries
from kubeless_kafka.admin.sent import MAX_TEXT, Sent

Object = dict[str, Any]

BATCH = 200
# What a batch may add to the text that says what was sent: a range for each record.
_ROOM = 12 * BATCH


class Redrive:
    """One run: chooses, sends, keeps what was sent."""

    def __init__(self, kafka: Kafka, letters: DeadLetters, arguments: Object) -> None:
        self._kafka = kafka
        self._letters = letters
        self._to = str(arguments.get("to") or "")
        self._error = str(arguments.get("error") or "")
        self._since = int(arguments.get("since") or 0)  # milliseconds of the epoch
        self._dry = bool(arguments.get("dryRun"))
        self._targets: dict[str, int] = {}
        self.result: Object = {"sent": 0, "skipped": 0, "targets": {}, "dryRun": self._dry}
        if self._to == letters.topic:
            raise _into_itself(self._to)
        if self._to:
            self._partitions(self._to)
        if arguments.get("fromBeginning"):
            letters.sent = {p: Sent(low) for p, (low, _) in letters.bounds.items()}
        chosen = arguments.get("records") or []
        self._chosen = sorted((int(partition), int(offset)) for partition, offset in chosen)

    def run(self, tell: Callable[[Object, list[Body]], None]) -> Object:
        """Send what was chosen; `tell` hears of each record in a dry run, of progress otherwise.

        Raises Failure; what was sent before it stays sent, and is kept.
        """
        producer = None if self._dry else self._kafka.producer()
        batch: list[tuple[Message, int]] = []
        for message, first in self._records():
            batch.append((message, first))
            if len(batch) >= BATCH:
                self._send(producer, batch, tell)
                batch = []
        if batch:
            self._send(producer, batch, tell)
        return self.result

    def _records(self) -> Iterator[tuple[Message, int]]:
        """The chosen records, each with the first offset that is done with it: there is nothing between."""
        letters = self._letters
        for partition, offset in self._chosen:
            message = one(letters, partition, offset)
            if self._wanted(message):
                yield message, offset
        if self._chosen:
            return
        ranges = {p: (letters.sent[p].base, high) for p, (_, high) in letters.bounds.items()}
        expected = {partition: start for partition, (start, _) in ranges.items()}
        for message in letters.records(ranges):
            partition, offset = place(message)
            first, expected[partition] = expected[partition], offset + 1
            if self._wanted(message):
                yield message, first
            elif not self._dry:
                letters.sent[partition].add(first, offset)

    def _wanted(self, message: Message) -> bool:
        partition, offset = place(message)
        if offset in self._letters.sent[partition]:
            self.result["skipped"] += 1
            return False
        if self._since and message.timestamp()[1] < self._since:
            return False
        if self._error:
            error = error_headers(message)
            said = f"{error.get('status', '')} {error.get('error', '')}"
            return self._error.lower() in said.lower()
        return True

    def _send(
        self,
        producer: Producer | None,
        batch: list[tuple[Message, int]],
        tell: Callable[[Object, list[Body]], None],
    ) -> None:
        done = Deliveries(lambda number: f"dead letter {_place(batch[number][0])}")
        failure: Failure | None = None
        if producer is not None:
            self._refuse_what_cannot_be_kept()
        for number, (message, _) in enumerate(batch):
            try:
                topic, partition = self._target(message)
            except Failure as error:
                failure = error
                break
            if producer is None:
                self._count(topic)
                where = {"partition": message.partition(), "offset": message.offset(), "to": topic}
                tell({"type": "item", **where}, [])
                continue
            while True:
                try:
                    producer.produce(
                        topic,
                        message.value(),
                        message.key(),
                        headers=[h for h in headers_of(message) if not h[0].startswith(PREFIX)],
                        on_delivery=done.callback(number),
                        partition=-1 if partition is None else partition,
                    )
                    break
                except BufferError:
                    producer.poll(0.5)
        if producer is not None:
            producer.flush()
            failure = done.failure or failure
            self._keep(batch, done)
            tell({"type": "progress", "sent": self.result["sent"]}, [])
        if failure is not None:
            raise Failure(
                failure.reason,
                f"{failure.message} Sent before it: {self.result['sent']}; the same command again goes on with it.",
            )

    def _keep(self, batch: list[tuple[Message, int]], done: Deliveries) -> None:
        for number in sorted(done.places):
            message, first = batch[number]
            partition, offset = place(message)
            self._letters.sent[partition].add(first, offset + 1)
            self._count(self._target(message)[0])
        self._letters.commit()

    def _refuse_what_cannot_be_kept(self) -> None:
        for partition, sent in self._letters.sent.items():
            if len(sent.text) > MAX_TEXT - _ROOM:
                raise Failure(
                    "TooScattered",
                    f"What was sent of partition {partition} is too scattered to keep more of it: send all that is "
                    "before it first, with 'dlq redrive' without a choice.",
                )

    def _target(self, message: Message) -> tuple[str, int | None]:
        """The topic, and its partition when it is the one that the record came from."""
        error = error_headers(message)
        topic = self._to or error.get("topic", "")
        if not topic:
            raise Failure(
                "OriginUnknown",
                f"Dead letter {_place(message)} has no header {PREFIX}topic that says where it came "
                "from; --to TOPIC says where to send it.",
            )
        if topic == self._letters.topic:
            raise _into_itself(topic)
        count, origin = self._partitions(topic), error.get("partition", "")
        same = topic == error.get("topic") and origin.isdigit() and int(origin) < count
        return topic, int(origin) if same else None

    def _partitions(self, topic: str) -> int:
        if topic not in self._targets:
            self._targets[topic] = len(self._kafka.topic(topic).partitions)
        return self._targets[topic]

    def _count(self, topic: str) -> None:
        self.result["sent"] += 1
        self.result["targets"][topic] = self.result["targets"].get(topic, 0) + 1


def _place(message: Message) -> str:
    return f"{message.partition()}/{message.offset()}"


def _into_itself(topic: str) -> Failure:
    return Failure(
        "SameTopic",
        f"'{topic}' is the topic of the dead letters itself; --to names another one.",
    )
