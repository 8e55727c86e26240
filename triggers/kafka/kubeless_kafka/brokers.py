"""Questions to the brokers that belong to no group: which topics there are, and where their partitions end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicMetadata

from kubeless_kafka.connection import Settings

log = logging.getLogger("kubeless.librdkafka")

REQUEST_SECONDS = 5.0


class Brokers:
    """One admin client for all functions, made when it is first used; its calls block.

    A consumer's own client cannot be asked: it answers other threads only while nobody polls it.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: AdminClient | None = None

    @property
    def client(self) -> AdminClient:
        """The client. Raises CredentialsError or KafkaException when it cannot be made."""
        with self._lock:
            if self._client is None:
                self._client = AdminClient(dict(self._settings()), logger=log)
            return self._client

    def topic(self, name: str) -> TopicMetadata:
        """What is known of a topic, whose ``error`` says if it is not there. Raises KafkaException."""
        found = self.client.list_topics(name, timeout=REQUEST_SECONDS)
        return found.topics[name]

    def ends(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """The high watermarks of these partitions; those that are not told are left out."""
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}  # type: ignore[no-untyped-call]
        if not asked:
            return {}
        found = {}
        for where, future in self.client.list_offsets(
            asked, request_timeout=REQUEST_SECONDS
        ).items():
            error = future.exception()
            if error is None:
                found[where.partition] = future.result().offset
            else:
                log.info("the end of partition %d: %s", where.partition, error)
        return found
