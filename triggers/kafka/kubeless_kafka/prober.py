"""Asks the brokers every few seconds how they are: whether they answer, the topic, and where its partitions end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from confluent_kafka import KafkaException

from kubeless_kafka import errors
from kubeless_kafka.brokers import Brokers
from kubeless_kafka.connection import CredentialsError
from kubeless_kafka.partition import Partition
from kubeless_kafka.poller import Poller
from kubeless_kafka.problems import Board
from kubeless_kafka.starter import Starter

log = logging.getLogger("kubeless.kafka")

PROBE_SECONDS = 5.0
# While something is wrong it is asked more often: it shall be seen soon that it is over.
TROUBLE_SECONDS = 1.0
# A client's own error explains why brokers do not answer, for this long.
CLIENT_ERROR_SECONDS = 30.0
_CONNECTION = ("BrokerUnreachable", "AuthenticationFailed", "TLSFailed")


class Prober:
    """For one function's client. ``partitions`` are those that are assigned."""

    def __init__(
        self,
        topic: str,
        brokers: Brokers,
        poller: Poller,
        starter: Starter,
        board: Board,
        partitions: Callable[[], Sequence[Partition]],
    ) -> None:
        self._topic = topic
        self._brokers = brokers
        self._poller = poller
        self._starter = starter
        self._board = board
        self._partitions = partitions
        self._wanted = asyncio.Event()
        # Partitions of the topic; None until it is known.
        self.count: int | None = None

    async def run(self) -> None:
        """Ask until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(None, self.probe)
            except Exception:
                log.exception("asking the brokers failed")
            with suppress(TimeoutError):
                seconds = TROUBLE_SECONDS if self._board.current else PROBE_SECONDS
                await asyncio.wait_for(self._wanted.wait(), seconds)
            self._wanted.clear()

    def ask_now(self) -> None:
        """Do not wait for the next time."""
        self._wanted.set()

    def probe(self) -> None:
        """Ask once; it blocks for some seconds when nobody answers."""
        try:
            topic = self._brokers.topic(self._topic)
        except CredentialsError as error:
            self._board.set(error.reason, str(error))
            return
        except KafkaException as error:
            self._unanswered(error)
            return
        self._board.clear(*_CONNECTION)
        if topic.error is None:
            self.count = len(topic.partitions)
            self._board.clear("TopicNotFound")
            partitions = {one.number: one for one in self._partitions()}
            for number, end in self._brokers.ends(self._topic, partitions).items():
                partitions[number].end = end
        elif topic.error.code() in errors.TOPIC_MISSING:
            self.count = None
            self._starter.topic_was_missing = True
            self._board.set("TopicNotFound", f"there is no topic {self._topic}")
        else:
            reason = errors.reason(topic.error.code())
            self._board.set(reason, f"topic {self._topic}: {topic.error.str()}")

    def _unanswered(self, error: KafkaException) -> None:
        """Nobody answered: the client's own errors say more of it than that the time is over."""
        known = self._poller.client_error
        if known is not None and time.monotonic() - known[0] < CLIENT_ERROR_SECONDS:
            self._board.set(errors.reason(known[1].code()), known[1].str())
        else:
            self._board.set("BrokerUnreachable", error.args[0].str())
