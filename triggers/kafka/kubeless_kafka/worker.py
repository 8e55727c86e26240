"""One function of a trigger: its records from the poller to the function, and what is done back as commits."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from aiohttp import ClientSession

from kubeless_kafka import batches, delivery, event
from kubeless_kafka.brokers import Brokers
from kubeless_kafka.committer import Committer, due
from kubeless_kafka.config import Config, Function
from kubeless_kafka.connection import Settings
from kubeless_kafka.flow import Outage
from kubeless_kafka.metrics import FunctionMetrics
from kubeless_kafka.partition import Partition
from kubeless_kafka.poller import Poller
from kubeless_kafka.prober import Prober
from kubeless_kafka.problems import Board
from kubeless_kafka.producer import Producer
from kubeless_kafka.record import Record
from kubeless_kafka.settle import Settler, Taken
from kubeless_kafka.starter import Starter
from kubeless_kafka.tasks import Tasks

log = logging.getLogger("kubeless")

BATCH_BYTES = 4 * 1024 * 1024
# An outage shorter than this pauses nothing.
OUTAGE_SECONDS = 1.0
# How long the end waits for the group to take a commit.
COMMIT_SECONDS = 3.0
LEAVE_SECONDS = 4.0


class Worker:
    """Delivers what its partitions bring. Everything here runs in the event loop."""

    def __init__(
        self,
        function: Function,
        config: Config,
        client: ClientSession,
        producer: Producer,
        brokers: Brokers,
        settings: Callable[[], Settings],
        starter: Starter,
    ) -> None:
        self.board = Board()
        self.partitions: dict[int, Partition] = {}
        self.draining = False
        self.in_flight = 0
        self.starter = starter
        self._client = client
        self._turns: deque[Partition] = deque()
        self._calls = 0
        self._outage: Outage | None = None
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks()
        self._metrics = FunctionMetrics(function.name)
        self._settler = Settler(self.board, self._metrics, producer, self._tasks, self._pump)
        self.poller = Poller(config.topic, function.group, settings, starter, self, self._loop)
        self._committer = Committer(
            self.poller,
            self.board,
            self._metrics,
            self._assigned,
            lambda: self.config.max_uncommitted,
            self._pump,
        )
        self._settler.finished = self._committer.finished
        self._settler.calls = lambda: self._calls
        self.prober = Prober(
            config.topic, brokers, self.poller, starter, self.board, self._assigned
        )
        self.configure(function, config)

    def configure(self, function: Function, config: Config) -> None:
        """Take new settings of what does not change the connection."""
        self.function = self._settler.function = function
        self.config = self._settler.config = config
        self._url = function.url + "/"
        self._timeout = delivery.timeouts(function.timeout)
        self._source = event.source(config.namespace, config.trigger)
        self._pump()

    def start(self) -> None:
        """Begin."""
        self.poller.start()
        self._tasks.start(self._committer.run())
        self._tasks.start(self.prober.run())

    def _assigned(self) -> list[Partition]:
        return list(self.partitions.values())

    # The poller's owner.

    def neighbours(self) -> int:
        """How many functions share the process; asked by the polling thread."""
        return len(self.config.functions)

    def halted(self) -> str:
        """Why no records are wanted; asked by the polling thread."""
        if self.draining:
            return "the consumer ends"
        if self.config.paused:
            return "the trigger is paused"
        outage = self._outage
        if outage is not None and time.monotonic() - outage.since > OUTAGE_SECONDS:
            return "the function cannot be reached"
        return ""

    def assigned(self, partitions: list[Partition]) -> None:
        """These are ours from now on."""
        for partition in partitions:
            if self.draining:
                partition.close()
            self.partitions[partition.number] = partition
            self._turns.append(partition)
        self.prober.ask_now()

    def received(self, records: list[tuple[Partition, list[Record]]]) -> None:
        """Records, in the order of their offsets."""
        for partition, found in records:
            if partition.alive and not partition.closing:
                partition.backlog.extend(found)
        self._pump()

    async def revoked(
        self, partitions: list[Partition], seconds: float
    ) -> list[tuple[Partition, int]]:
        """Hand over: finish what is begun, and what lies between; returns what is to be committed."""
        await self._finish(partitions, seconds)
        done = due(partitions)
        self.lost(partitions)
        return done

    def lost(self, partitions: list[Partition]) -> None:
        """These are not ours any more: what is still under way moves nothing."""
        for partition in partitions:
            partition.alive = False
            if self.partitions.get(partition.number) is partition:
                del self.partitions[partition.number]
            if partition in self._turns:
                self._turns.remove(partition)
        # With them may have gone the record that was to find out whether the function is back.
        self._pump()

    # Its end.

    async def drain(self, seconds: float) -> None:
        """Finish what is begun, commit and leave the group: the client's end revokes its partitions, which commits."""
        self.draining = True
        await self._finish(self._assigned(), seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(COMMIT_SECONDS):
                # While the group is put together anew nothing can be committed: it shall not leave before.
                while not await self._committer.commit(self._assigned()):
                    await asyncio.sleep(0.1)
        if not await self._loop.run_in_executor(None, self.poller.stop, LEAVE_SECONDS):
            log.warning("%s: the group was not left in order", self.function.group)
        self.lost(self._assigned())
        await self._tasks.cancel()
        self._metrics.remove()

    async def _finish(self, partitions: list[Partition], seconds: float) -> None:
        """Begin nothing new, and wait up to ``seconds`` until what is begun has no gaps."""
        for partition in partitions:
            partition.close()
        self._pump()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(map(self._moves, partitions)):
            await asyncio.sleep(0.01)

    def _moves(self, partition: Partition) -> bool:
        """Whether waiting brings anything; what cannot be written, or waits for another attempt, may take for ever."""
        callable_now = self._outage is None and not self.config.paused and not partition.stuck
        return partition.away > partition.stuck or (callable_now and partition.lanes.ready > 0)

    def report(self) -> None:
        """Bring the gauges up to date."""
        self._metrics.in_flight.set(self.in_flight)
        found = {one.number: one.lag for one in self.partitions.values()}
        self._metrics.set_lags({number: lag for number, lag in found.items() if lag is not None})

    # Dispatch.

    def _pump(self) -> None:
        """Make the calls that may be made now."""
        if self.config.paused:
            return
        allowed = self._settler.concurrency.allowed(self.config.max_in_flight)
        outage = self._outage
        if outage is not None:
            if outage.next > time.monotonic() or self._calls:
                return
            allowed = 1
        idle = 0
        while self._calls < allowed and idle < len(self._turns):
            partition = self._turns[0]
            self._turns.rotate(-1)
            if self._call_next(partition):
                idle = 0
            else:
                idle += 1
        unavailable = outage is not None or self.board.has("FunctionUnavailable")
        if unavailable and not self._calls and not self._waiting():
            # Nothing is left to find out whether it is over: the next record does.
            self._outage = None
            self.board.clear("FunctionUnavailable")

    def _waiting(self) -> bool:
        """Whether any record is to be called for, now or later."""
        return any(
            not one.stuck and (one.tracker.unfinished or one.backlog)
            for one in self.partitions.values()
        )

    def _call_next(self, partition: Partition) -> bool:
        """Make one call for a partition, if there is anything to call for."""
        if partition.stuck:
            return False
        partition.fill(self.config.max_uncommitted)
        lanes, batch = partition.lanes, self.config.batch
        if not lanes.ready:
            return False
        if batch is None:
            taken = lanes.take(1, BATCH_BYTES)
        else:
            begun = partition.gathering is not None
            if not partition.gathered(batch, self._loop.time()):
                if not begun and partition.gathering is not None:
                    self._loop.call_at(partition.gathering, self._pump)
                return False
            taken = lanes.take(batch.size, BATCH_BYTES)
        items = 0
        for _, found in taken:
            items += len(found)
            partition.newest = max(partition.newest, found[-1].record.offset)
        self._calls += 1
        partition.away += 1
        partition.in_flight += items
        self.in_flight += items
        self._tasks.start(self._call(partition, taken, items))
        return True

    async def _call(self, partition: Partition, taken: Taken, count: int) -> None:
        """One call, from its request to what follows for its records."""
        called = time.monotonic()
        try:
            records = [item.record for _, items in taken for item in items]
            if self.config.batch is None:
                headers = event.headers(records[0], self._source)
                body = records[0].value or b""
            else:
                headers = batches.headers(records)
                body = batches.body(records, self._source)
            answer, error = None, ""
            try:
                answer = await delivery.call(self._client, self._url, headers, body, self._timeout)
            except delivery.UnreachableError as failed:
                self._unreachable(partition, taken, called, str(failed))
                return
            except delivery.BrokenError as failed:
                error = str(failed)
            self._metrics.handler_seconds.observe(time.monotonic() - called)
            self._outage = None
            if partition.alive:
                self._settler.judge(partition, taken, answer, error)
        except Exception:
            # A bug must not lose the record.
            log.exception("delivering to %s failed", self.function.name)
            if partition.alive:
                self._settler.failed(partition, taken)
        finally:
            self._calls -= 1
            partition.away -= 1
            partition.in_flight -= count
            self.in_flight -= count
            self._pump()

    def _unreachable(self, partition: Partition, taken: Taken, called: float, error: str) -> None:
        """Nobody took the call: the records go first when someone does, and one of them finds out when."""
        now = time.monotonic()
        if self._outage is None:
            self._outage = Outage(now)
            log.warning("%s cannot be reached: %s", self.function.name, error)
        else:
            self._outage.failed(called, now)
        self.board.set("FunctionUnavailable", error)
        self._loop.call_later(max(0.0, self._outage.next - now) + 0.001, self._pump)
        if partition.alive:
            for lane, items in taken:
                self._settler.rest(partition, lane, items, 0)
