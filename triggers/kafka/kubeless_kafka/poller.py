"""The thread that polls Kafka for one function: it joins the group, hands records over, and stays a member."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kubeless_kafka import errors, group, messages, room
from kubeless_kafka.commit_requests import Answers, CommitRequests, Offsets
from kubeless_kafka.connection import CredentialsError, Settings
from kubeless_kafka.gate import Gate
from kubeless_kafka.partition import Partition
from kubeless_kafka.problems import Board
from kubeless_kafka.record import Record
from kubeless_kafka.starter import Starter, StartError

log = logging.getLogger("kubeless.kafka")
client_log = logging.getLogger("kubeless.librdkafka")

POLL_SECONDS = 0.1
BUSY_SECONDS = 0.005
HOLD_STEP_SECONDS = 0.005
POLL_RECORDS = 500
# A handover waits for records that are under way no longer than this.
HANDOVER_SECONDS = 10.0
REOPEN_SECONDS = (1.0, 30.0)
REREAD_SECONDS = (1.0, 30.0)
# An error of authorization is told once by the client: a new one has to find out whether it is gone.
_REOPEN = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError._FATAL,
    }
)


class Owner(Protocol):
    """Who gets what the thread finds; all but ``halted`` and ``neighbours`` is called in the event loop."""

    board: Board

    def neighbours(self) -> int:
        """How many functions share the process, this one included."""

    def halted(self) -> str:
        """Why nothing is wanted now, or ''."""

    def assigned(self, partitions: list[Partition]) -> None:
        """These are ours from now on."""

    def received(self, records: list[tuple[Partition, list[Record]]]) -> None:
        """Records, in order."""

    async def revoked(
        self, partitions: list[Partition], seconds: float
    ) -> list[tuple[Partition, int]]:
        """These go to others: finish what can be within this time; returns offsets to commit."""

    def lost(self, partitions: list[Partition]) -> None:
        """These are others' already."""


class Poller:
    """Polls ``topic`` as a member of ``group`` until it is stopped.

    ``settings`` gives the connection's settings anew each time that a client is made; it may raise CredentialsError.
    """

    def __init__(
        self,
        topic: str,
        group: str,
        settings: Callable[[], Settings],
        starter: Starter,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._topic = topic
        self._group = group
        self._settings = settings
        self._starter = starter
        self._owner = owner
        self._loop = loop
        self._stop = threading.Event()
        self._reopen = False
        self._partitions: dict[int, Partition] = {}
        self._paused: dict[int, str] = {}
        # Partitions that are not read on, by the time to try again and the seconds waited before.
        self._unreadable: dict[int, tuple[float, float]] = {}
        self._thread = threading.Thread(target=self._run, name=f"poll-{group}"[:60], daemon=True)
        # When the thread was last seen moving, on time.monotonic's clock.
        self.moved = time.monotonic()
        self._commits = CommitRequests(topic, self._owns)
        # The client's last error of its own and when it was.
        self.client_error: tuple[float, KafkaError] | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Leave the group and end; False when that is not done within this time, as when no broker answers.

        It blocks: call it in a thread other than the event loop's.
        """
        self._stop.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def commit(self, offsets: Offsets) -> Future[Answers]:
        """Have the thread commit; what is not assigned any more by then is left out.

        The result has an error for each that was refused; it raises KafkaException when none was answered.
        """
        return self._commits.add(offsets)

    def reopen(self) -> None:
        """Join the group anew with a new client."""
        self._reopen = True

    @property
    def running(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def _run(self) -> None:
        seconds = REOPEN_SECONDS[0]
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._session()
            except CredentialsError as error:
                self._owner.board.set(error.reason, str(error))
            except KafkaException as error:
                self._fail(error.args[0])
            except Exception:
                # Whatever it was: the trigger goes on trying, and says so.
                log.exception("polling for group %s failed", self._group)
                self._owner.board.set("BrokerUnreachable", "polling failed; the log has more")
            if time.monotonic() - began > 2 * REOPEN_SECONDS[1]:
                seconds = REOPEN_SECONDS[0]
            self.moved = time.monotonic()
            self._stop.wait(seconds)
            seconds = min(seconds * 2, REOPEN_SECONDS[1])

    def _fail(self, error: KafkaError) -> None:
        # A certificate or key that the client cannot use is refused when it is made.
        text = error.str()
        reason = errors.reason(error.code())
        if error.code() == KafkaError._INVALID_ARG and "ssl" in text.lower():
            reason = "TLSFailed"
        self._owner.board.set(reason, text)

    def _session(self) -> None:
        """One client, from its making to its end."""
        self._reopen = False
        member = group.settings(self._group, self._owner.neighbours())
        settings = {**self._settings(), **member, **self._starter.overrides}
        consumer = Consumer(
            {**settings, "error_cb": self._client_failed, "on_commit": self._commits.answered},
            logger=client_log,
        )
        gate = Gate()
        try:
            consumer.subscribe(
                [self._topic],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_lost,
            )
            while not self._stop.is_set() and not self._reopen:
                self._turn(consumer, gate)
        finally:
            self.moved = time.monotonic()
            consumer.close()
            self._commits.end()
            # What a callback did not give up is nobody's now.
            self._give_up(list(self._partitions.values()))

    def _turn(self, consumer: Consumer, gate: Gate) -> None:
        now = self.moved = time.monotonic()
        loads = {number: one.load for number, one in self._partitions.items()}
        halted = self._owner.halted()
        decision = gate.decide(now, loads, room.payload(self._owner.neighbours()), halted)
        self._pause(consumer, dict(decision.paused))
        self._read_again(consumer, now)
        self._commits.begin_next(consumer)
        if decision.hold:
            # Callbacks come from polling: it goes on, with a record now and then.
            time.sleep(HOLD_STEP_SECONDS)
            first = consumer.poll(0)
            if first is not None:
                self._hand_over(consumer, [first])
            return
        # Whoever waits for a commit shall not wait for a record.
        busy = not halted and any(load.waiting for load in loads.values())
        first = consumer.poll(BUSY_SECONDS if busy else POLL_SECONDS)
        if first is not None:
            # One that is there is not kept waiting for others.
            self._hand_over(consumer, [first, *consumer.consume(POLL_RECORDS - 1, 0)])

    def _owns(self, partition: Partition) -> bool:
        return self._partitions.get(partition.number) is partition

    def _hand_over(self, consumer: Consumer, polled: list[Message]) -> None:
        found: dict[Partition, list[Record]] = defaultdict(list)
        for message in polled:
            error = message.error()
            if error is not None:
                self._message_failed(consumer, message, error)
                continue
            number = message.partition()
            partition = self._partitions.get(number) if number is not None else None
            offset = message.offset()
            # While one waits to be read again, what lies behind is not to be passed on.
            if (
                partition is None
                or offset is None
                or self._unreadable.get(partition.number, (0,))[0]
            ):
                continue
            if offset < partition.position:
                continue
            partition.position = offset + 1
            if self._unreadable.pop(partition.number, None) and not self._unreadable:
                self._owner.board.clear("RecordUnreadable")
            record = messages.record(message, self._topic, partition.number, offset)
            partition.handed += 1
            partition.handed_bytes += record.size
            found[partition].append(record)
        if found:
            self._call(self._owner.received, list(found.items()))

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *arguments)

    # What goes wrong.

    def _client_failed(self, error: KafkaError) -> None:
        """librdkafka's callback for errors of the client itself; `worker` asks brokers and clears what is over."""
        reason = errors.reason(error.code())
        # That all brokers are down follows from why each of them is.
        if error.code() != KafkaError._ALL_BROKERS_DOWN or self.client_error is None:
            self.client_error = (time.monotonic(), error)
        if reason != "BrokerUnreachable":
            self._owner.board.set(reason, error.str())
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._owner.board.set(reason, self.client_error[1].str())
        if error.fatal():
            self._reopen = True

    def _message_failed(self, consumer: Consumer, message: Message, error: KafkaError) -> None:
        code = error.code()
        number = message.partition()
        partition = self._partitions.get(number) if number is not None else None
        if code == KafkaError._PARTITION_EOF:
            return
        if partition is not None and self._unreadable.get(partition.number, (0.0,))[0]:
            # Behind a batch that it could not read the client goes on with offsets that it made out of it.
            return
        log.warning("group %s: %s", self._group, error.str())
        if code in errors.TOPIC_MISSING:
            self._starter.topic_was_missing = True
            self._owner.board.set("TopicNotFound", f"there is no topic {self._topic}")
        elif code in errors.OUT_OF_RANGE and partition is not None:
            self._begin_anew(consumer, partition, error)
        elif code in errors.UNREADABLE and partition is not None:
            self._stop_reading(consumer, partition, error)
        elif code in _REOPEN or error.fatal():
            self._owner.board.set(errors.reason(code), error.str())
            self._reopen = True

    def _stop_reading(self, consumer: Consumer, partition: Partition, error: KafkaError) -> None:
        """The client would go on behind a batch that it cannot read: nothing is to be passed over."""
        _, waited = self._unreadable.get(partition.number, (0.0, 0.0))
        wait = min(max(REREAD_SECONDS[0], waited * 2), REREAD_SECONDS[1])
        self._unreadable[partition.number] = (time.monotonic() + wait, wait)
        consumer.pause([TopicPartition(self._topic, partition.number)])
        text = f"partition {partition.number} cannot be read at offset {partition.position}: {error.str()}"
        self._owner.board.set("RecordUnreadable", text)

    def _read_again(self, consumer: Consumer, now: float) -> None:
        for number, (due, waited) in list(self._unreadable.items()):
            partition = self._partitions.get(number)
            if partition is None:
                del self._unreadable[number]
            elif due and due <= now:
                self._unreadable[number] = (0.0, waited)
                where = TopicPartition(self._topic, number, partition.position)
                consumer.resume([where])
                consumer.seek(where)

    def _begin_anew(self, consumer: Consumer, partition: Partition, error: KafkaError) -> None:
        """The offset does not exist (any more): the topic was made again, or records were deleted. Read what there is."""
        try:
            new = self._starter.earliest(consumer, partition)
        except KafkaException as failed:
            self._fail(failed.args[0])
            self._reopen = True
            return
        text = (
            f"partition {partition.number} has no offset {partition.position} (its topic was made again, "
            f"or records were deleted before they were read): reading from {new.position}"
        )
        log.warning("group %s: %s (%s)", self._group, text, error.str())
        self._owner.board.note("OffsetOutOfRange", text)
        self._partitions[partition.number] = new
        if self._unreadable.pop(partition.number, None) and not self._unreadable:
            self._owner.board.clear("RecordUnreadable")
        self._call(self._owner.lost, [partition])
        self._call(self._owner.assigned, [new])
        where = TopicPartition(self._topic, new.number, new.position)
        consumer.incremental_unassign([where])
        consumer.incremental_assign([where])
        self._paused.pop(new.number, None)

    def _pause(self, consumer: Consumer, wanted: dict[int, str]) -> None:
        if wanted == self._paused:
            return
        pause = [n for n in wanted if n not in self._paused]
        # What is not readable is resumed when it is to be read again.
        resting = {number for number, (due, _) in self._unreadable.items() if due}
        resume = [n for n in self._paused if n not in wanted and n not in resting]
        if pause:
            consumer.pause([TopicPartition(self._topic, n) for n in pause])
        if resume := [n for n in resume if n in self._partitions]:
            consumer.resume([TopicPartition(self._topic, n) for n in resume])
        for number, partition in self._partitions.items():
            partition.paused = wanted.get(number, "")
        self._paused = wanted

    # The group's callbacks: librdkafka makes them inside of poll and close.

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [one.partition for one in partitions]
        try:
            new = self._starter.begin(consumer, numbers, self._stop)
        except StartError as error:
            self._owner.board.set(error.reason, str(error))
            self._reopen = True
            new = []
        else:
            self._owner.board.clear("AuthorizationFailed")
        self._partitions.update({one.number: one for one in new})
        if new:
            log.info(
                "group %s: partitions %s assigned",
                self._group,
                ", ".join(str(n.number) for n in new),
            )
            self._call(self._owner.assigned, new)
        consumer.incremental_assign(
            [TopicPartition(self._topic, one.number, one.position) for one in new]
        )

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        mine = self._taken_out(partitions)
        if not mine:
            return
        handover = asyncio.run_coroutine_threadsafe(
            self._owner.revoked(mine, HANDOVER_SECONDS), self._loop
        )
        try:
            done = handover.result(HANDOVER_SECONDS * 3)
            if done:
                answered = consumer.commit(
                    offsets=self._commits.positions(done), asynchronous=False
                )
                for one in answered or []:
                    if one.error is not None:
                        raise KafkaException(one.error)
        except KafkaException as error:
            log.warning("group %s: not committed at the end: %s", self._group, error.args[0].str())
        except Exception:
            log.exception("group %s: partitions were not handed over in order", self._group)
        log.info(
            "group %s: partitions %s revoked", self._group, ", ".join(str(n.number) for n in mine)
        )

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        mine = self._taken_out(partitions)
        log.warning(
            "group %s: partitions %s lost", self._group, ", ".join(str(n.number) for n in mine)
        )
        self._give_up(mine)

    def _taken_out(self, partitions: list[TopicPartition]) -> list[Partition]:
        numbers = [one.partition for one in partitions]
        for number in numbers:
            self._paused.pop(number, None)
            if self._unreadable.pop(number, None) and not self._unreadable:
                self._owner.board.clear("RecordUnreadable")
        return [self._partitions.pop(n) for n in numbers if n in self._partitions]

    def _give_up(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._partitions.pop(partition.number, None)
        if partitions:
            self._call(self._owner.lost, partitions)
        self._paused.clear()
