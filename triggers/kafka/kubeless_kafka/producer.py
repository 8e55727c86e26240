"""Writes dead letters and answers; done means that the brokers have acknowledged it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as Client
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from kubeless_kafka import errors
from kubeless_kafka.brokers import Brokers
from kubeless_kafka.connection import CredentialsError, Settings
from kubeless_kafka.lanes import Letter

log = logging.getLogger("kubeless.kafka")
client_log = logging.getLogger("kubeless.librdkafka")

DELIVERY_SECONDS = 15.0
REPORT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
POLL_SECONDS = 0.2
# Room for the headers that a dead letter has beside the record's own.
LETTER_BYTES = 64 * 1024
DEFAULT_RECORD_BYTES = 1048588
_SETTINGS: Settings = {
    "enable.idempotence": True,
    "acks": "all",
    "message.timeout.ms": int(DELIVERY_SECONDS * 1000),
    # Brokers and topics limit records; a letter that a topic takes shall not fail here.
    "message.max.bytes": 104857600,
    "linger.ms": 5,
    "queue.buffering.max.kbytes": 32768,
    "allow.auto.create.topics": False,
    # A topic that is missing is said within this time.
    "topic.metadata.propagation.max.ms": 5000,
    "compression.type": "lz4",
}


class ProduceError(Exception):
    """A letter was not written; the message says why.

    ``missing``: there is no such topic. ``too_large``: the topic takes no record of that size.
    """

    def __init__(self, text: str, *, missing: bool = False, too_large: bool = False) -> None:
        super().__init__(text)
        self.missing = missing
        self.too_large = too_large


class Producer:
    """One producer for all functions; the client is made when the first letter is written.

    ``settings`` gives the connection's settings, and may raise CredentialsError.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        brokers: Brokers,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._settings = settings
        self._brokers = brokers
        self._loop = loop
        self._client: Client | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._existing: set[str] = set()
        self._ensuring = asyncio.Lock()

    async def write(self, letter: Letter, source: str) -> None:
        """Produce a letter and wait until it is acknowledged. Raises ProduceError.

        A dead-letter topic that is missing is made like its ``source``.
        """
        try:
            if letter.dead and letter.topic not in self._existing:
                async with self._ensuring:
                    if letter.topic not in self._existing:
                        await self._loop.run_in_executor(None, self._ensure, letter.topic, source)
                        self._existing.add(letter.topic)
            await self._produce(letter)
        except CredentialsError as error:
            raise ProduceError(str(error)) from error
        except BufferError as error:
            raise ProduceError("too many letters wait to be written") from error
        except KafkaException as error:
            raise self._failed(letter, error.args[0]) from error
        except TimeoutError as error:
            raise ProduceError(f"topic {letter.topic}: the brokers did not answer") from error
        except Exception as error:
            # Whatever it was: the letter is tried again, and the status says why it is not written.
            raise ProduceError(f"topic {letter.topic}: {error or type(error).__name__}") from error

    async def _produce(self, letter: Letter) -> None:
        done: asyncio.Future[None] = self._loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(KafkaException(error))

        def delivered(error: KafkaError | None, _: Message) -> None:
            self._loop.call_soon_threadsafe(settle, error)

        headers: Any = list(letter.headers)
        self._running().produce(
            letter.topic, value=letter.value, key=letter.key, headers=headers, on_delivery=delivered
        )
        # A client that was given up after a fatal error reports nothing any more.
        await asyncio.wait_for(done, DELIVERY_SECONDS + REPORT_SECONDS)

    def _failed(self, letter: Letter, error: KafkaError) -> ProduceError:
        missing = error.code() in errors.TOPIC_MISSING
        if missing:
            self._existing.discard(letter.topic)
        if error.fatal() or error.code() == KafkaError._FATAL:
            # An idempotent producer that has lost its order is of no more use.
            self._client = None
        return ProduceError(
            f"topic {letter.topic}: {error.str()}",
            missing=missing,
            too_large=error.code() == KafkaError.MSG_SIZE_TOO_LARGE,
        )

    def _running(self) -> Client:
        if self._client is None:
            self._client = Client({**self._settings(), **_SETTINGS}, logger=client_log)
        if self._thread is None:
            self._thread = threading.Thread(target=self._poll, name="producer", daemon=True)
            self._thread.start()
        return self._client

    def _poll(self) -> None:
        while not self._stop.is_set():
            client = self._client
            if client is None:
                self._stop.wait(POLL_SECONDS)
            else:
                client.poll(POLL_SECONDS)

    def _ensure(self, topic: str, source: str) -> None:
        """Make the topic unless it is there: partitions and record size of its source, the brokers' own replication."""
        found = self._brokers.topic(topic)
        if found.error is None:
            return
        if found.error.code() not in errors.TOPIC_MISSING:
            raise KafkaException(found.error)
        origin = self._brokers.topic(source)
        admin = self._brokers.client
        new = NewTopic(
            topic,
            num_partitions=max(1, len(origin.partitions)),
            replication_factor=-1,
            config={"max.message.bytes": str(_record_bytes(admin, source) + LETTER_BYTES)},
        )
        try:
            admin.create_topics([new], request_timeout=REQUEST_SECONDS)[topic].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        log.info("made the topic %s for dead letters", topic)

    def stop(self) -> None:
        """End; blocks until what was produced is acknowledged or a second has passed."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._client is not None:
            self._client.flush(1.0)


def _record_bytes(admin: AdminClient, topic: str) -> int:
    """How large a topic's records may be; the brokers' default where that may not be asked."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found = admin.describe_configs([resource], request_timeout=REQUEST_SECONDS)[
            resource
        ].result()
        return int(found["max.message.bytes"].value)
    except (KafkaException, KeyError, ValueError, TypeError):
        return DEFAULT_RECORD_BYTES
