"""What follows for a call's records from its answer: done, again, wait, or a letter to write first."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable

from kubeless_kafka import backoff, batches, letters
from kubeless_kafka.config import Config, Function
from kubeless_kafka.delivery import Answer
from kubeless_kafka.flow import Concurrency
from kubeless_kafka.lanes import Item, Lane
from kubeless_kafka.logs import Throttle
from kubeless_kafka.metrics import FunctionMetrics
from kubeless_kafka.outcomes import Outcome, of_status
from kubeless_kafka.partition import Partition
from kubeless_kafka.problems import Board
from kubeless_kafka.producer import ProduceError, Producer
from kubeless_kafka.tasks import Tasks

log = logging.getLogger("kubeless")

# A function that only asks to wait for longer than this is said to be unavailable.
WAITING_SECONDS = 5.0
LEAST_WAIT_SECONDS = 0.1
# Letters that cannot be written are tried again with these pauses.
LETTER_SECONDS = (0.5, 15.0)

Taken = list[tuple[Lane, list[Item]]]


class Settler:
    """Settles the records of one function. ``pump`` makes the calls that may be made then."""

    def __init__(
        self,
        board: Board,
        metrics: FunctionMetrics,
        producer: Producer,
        tasks: Tasks,
        pump: Callable[[], None],
    ) -> None:
        self.concurrency = Concurrency()
        self.function: Function
        self.config: Config
        # Told of each partition in which records are done.
        self.finished: Callable[[Partition], None] = lambda _: None
        # Calls that are under way.
        self.calls: Callable[[], int] = lambda: 1
        self._board = board
        self._metrics = metrics
        self._producer = producer
        self._tasks = tasks
        self._pump = pump
        self._throttle = Throttle()
        self._loop = asyncio.get_running_loop()
        self._answered = time.monotonic()
        # Letters that cannot be written, by what the status says of it.
        self._stuck: Counter[str] = Counter()

    def judge(self, partition: Partition, taken: Taken, answer: Answer | None, error: str) -> None:
        """Settle the records of a call. Without an ``answer``, ``error`` says what became of it."""
        asked = None
        if answer is None:
            outcome = Outcome.RETRY
        else:
            asked = backoff.retry_after(answer.retry_after, time.time())
            outcome = of_status(
                answer.status,
                retry_after=answer.retry_after is not None,
                table=self.config.retry.statuses,
            )
            error = answer.text
        if outcome is Outcome.WAIT:
            self._wait(partition, taken, asked, error)
            return
        self.concurrency.answered()
        self._answered = time.monotonic()
        self._board.clear("FunctionUnavailable")
        status = None if answer is None else answer.status
        count = sum(len(items) for _, items in taken)
        if outcome is Outcome.SUCCESS and answer is not None:
            self._succeeded(partition, taken, count, answer)
        elif outcome is Outcome.DEAD_LETTER and count > 1:
            self._split(partition, taken, count, status, error)
        else:
            dead = outcome is Outcome.DEAD_LETTER
            for lane, items in taken:
                for item in items:
                    self._count(item, count, status, error)
                self._again(partition, lane, items, asked, dead=dead)

    def failed(self, partition: Partition, taken: Taken) -> None:
        """The consumer itself failed: the records go again, as after any failure."""
        self.judge(partition, taken, None, "the consumer failed; its log has more")

    def done(self, partition: Partition, items: list[Item]) -> None:
        """These records are finished."""
        for item in items:
            partition.finish(item.record)
        self.finished(partition)

    # Success, of all or of some.

    def _succeeded(self, partition: Partition, taken: Taken, count: int, answer: Answer) -> None:
        if self.config.batch is not None:
            self._succeeded_batch(partition, taken, count, answer)
            return
        ((lane, items),) = taken
        if not self.config.response_topic:
            self._metrics.succeeded.inc()
            self.done(partition, items)
            partition.lanes.release(lane)
        elif answer.body is None:
            self._count(items[0], 1, answer.status, "the answer is too large for a topic")
            self._again(partition, lane, items, None, dead=True)
        else:
            items[0].letter = letters.response(items[0], answer, self.config.response_topic)
            self._tasks.start(self._write(partition, lane, items))

    def _succeeded_batch(
        self, partition: Partition, taken: Taken, count: int, answer: Answer
    ) -> None:
        try:
            if answer.body is None:
                raise batches.AnswerError("the answer is too large to be read")
            failed = batches.failed(answer.body, count)
        except batches.AnswerError as error:
            for lane, items in taken:
                for item in items:
                    self._count(item, count, answer.status, str(error))
                self._again(partition, lane, items, None)
            return
        index = 0
        for lane, items in taken:
            marks = [index + place in failed for place in range(len(items))]
            index += len(items)
            first = marks.index(True) if True in marks else len(items)
            # What follows a failed record of the same key goes again with it, to stay in order.
            for item, mark in zip(items[first:], marks[first:], strict=True):
                if mark:
                    self._count(item, 1, answer.status, "the function named it as failed")
            self._metrics.succeeded.inc(first)
            self.done(partition, items[:first])
            if first == len(items):
                partition.lanes.release(lane)
            else:
                self._again(partition, lane, items[first:], None)

    # Failure.

    def _count(self, item: Item, together: int, status: int | None, error: str) -> None:
        """An attempt that failed. ``together`` says how many shared it: one of them may have failed all."""
        item.attempts += 1
        item.waits = 0
        item.status, item.error = status, error
        if together > 1:
            item.cap = max(1, together // 2)
            if item.attempts >= self.config.retry.attempts:
                # Only what was alone is given up: the last attempt is one of its own.
                item.cap, item.attempts = 1, self.config.retry.attempts - 1
        where = f"{item.record.id}: {error.partition(':')[0] if status else error}"
        self._board.note("HandlerFailed", f"{where}, attempt {item.attempts}")
        self._throttle.warn(log, f"{self.function.name}: {where}, attempt {item.attempts}")

    def _again(
        self,
        partition: Partition,
        lane: Lane,
        items: list[Item],
        asked: float | None,
        *,
        dead: bool = False,
    ) -> None:
        """The first of these failed: it and those behind it go again, or it is given up."""
        first, retry = items[0], self.config.retry
        if dead or first.attempts >= retry.attempts:
            first.letter = letters.dead_letter(
                first, self.config.dead_letter_topic, self.function.name, self.config.trigger
            )
            self._tasks.start(self._write(partition, lane, items))
            return
        self._metrics.retries.inc(len(items))
        attempts = max(1, *(item.attempts for item in items))
        seconds = backoff.delay(attempts, retry.initial_backoff, retry.max_backoff)
        if asked is not None:
            seconds = max(seconds, min(asked, retry.max_backoff))
        self.rest(partition, lane, items, seconds)

    def _split(
        self, partition: Partition, taken: Taken, count: int, status: int | None, error: str
    ) -> None:
        """A batch was refused: one of its records may be why, so halves of it go at once."""
        for lane, items in taken:
            for item in items:
                item.cap = max(1, count // 2)
                item.status, item.error = status, error
            self.rest(partition, lane, items, 0)

    def _wait(self, partition: Partition, taken: Taken, asked: float | None, error: str) -> None:
        """The function has no room now: these records wait, others go on."""
        now = time.monotonic()
        self.concurrency.refused(self.calls(), now)
        if now - self._answered > WAITING_SECONDS:
            self._board.set("FunctionUnavailable", f"the function asks to wait: {error[:100]}")
        retry = self.config.retry
        for lane, items in taken:
            for item in items:
                item.waits += 1
            seconds = asked
            if seconds is None:
                seconds = backoff.delay(items[0].waits, retry.initial_backoff, retry.max_backoff)
            seconds = max(LEAST_WAIT_SECONDS, min(seconds, retry.max_backoff))
            self.rest(partition, lane, items, seconds * random.uniform(1.0, 1.25))

    def rest(self, partition: Partition, lane: Lane, items: list[Item], seconds: float) -> None:
        """These go again after a while, before what follows them in their lane."""
        partition.lanes.put_back(lane, items)

        def wake() -> None:
            if partition.alive:
                partition.lanes.wake(lane)
                self._pump()

        if seconds <= 0:
            partition.lanes.wake(lane)
        else:
            self._loop.call_later(seconds, wake)

    # Letters.

    async def _write(self, partition: Partition, lane: Lane, items: list[Item]) -> None:
        """Produce the letter of the first; then it is done, and those behind it go again."""
        first, *rest = items
        letter = first.letter
        assert letter is not None
        partition.away += 1
        partition.in_flight += 1
        reason = "DeadLetterUnavailable" if letter.dead else "ResponseTopicUnavailable"
        stuck = False
        pause = LETTER_SECONDS[0]
        try:
            while partition.alive:
                try:
                    await self._producer.write(letter, first.record.topic)
                except ProduceError as error:
                    if error.too_large and not letter.dead:
                        self._count(
                            first, 1, first.status, "the answer is too large for the response topic"
                        )
                        self._again(partition, lane, items, None, dead=True)
                        return
                    if not stuck:
                        stuck = True
                        partition.stuck += 1
                        self._stuck[reason] += 1
                    self._board.set(reason, f"{first.record.id} is not written: {error}")
                    self._throttle.warn(log, f"{self.function.name}: {first.record.id}: {error}")
                    await asyncio.sleep(pause * random.uniform(0.75, 1.0))
                    pause = min(pause * 2, LETTER_SECONDS[1])
                else:
                    break
            if partition.alive:
                self._written(partition, lane, first, rest, dead=letter.dead)
        finally:
            partition.away -= 1
            partition.in_flight -= 1
            if stuck:
                partition.stuck -= 1
                self._stuck[reason] -= 1
                if not self._stuck[reason]:
                    self._board.clear(reason)
            self._pump()

    def _written(
        self, partition: Partition, lane: Lane, first: Item, rest: list[Item], *, dead: bool
    ) -> None:
        if dead:
            self._metrics.dead.inc()
            self._metrics.dead_letters.inc()
            said = first.error.partition(":")[0] if first.status else first.error
            text = f"{first.record.id} after {first.attempts} attempts: {said}"
            self._board.note("DeadLettered", text)
            self._throttle.warn(log, f"{self.function.name}: dead letter: {text}")
        else:
            self._metrics.succeeded.inc()
        self.done(partition, [first])
        if rest:
            self.rest(partition, lane, rest, 0)
        else:
            partition.lanes.release(lane)
