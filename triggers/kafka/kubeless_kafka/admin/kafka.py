"""A Kafka that a request is about: its clients, and whether it can be reached."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ClusterMetadata, TopicMetadata

from kubeless_kafka.admin.failure import FINAL, Failure, failure_of
from kubeless_kafka.config import Security
from kubeless_kafka.connection import CredentialsError, Settings, client_settings

# How long brokers that do not answer are asked again, in seconds.
PATIENCE = 15.0
REQUEST_SECONDS = 30.0

_PASSES = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)

_QUIET = logging.getLogger("kubeless.librdkafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


class Kafka:
    """Clients of one Kafka. What librdkafka only logs is kept: it says why nobody answers."""

    def __init__(self, settings: Settings, *, patience: float = PATIENCE) -> None:
        self._settings = settings
        self._patience = patience
        self._trouble: KafkaError | None = None
        self.admin: AdminClient = AdminClient(self._with({}))

    @classmethod
    def of(cls, connection: dict[str, Any], auth_dir: Path, tls_dir: Path) -> Kafka:
        """The Kafka of a request's ``connection``. Raises Failure."""
        try:
            security = Security(
                protocol=str(connection.get("protocol") or "PLAINTEXT"),
                mechanism=str(connection.get("mechanism") or ""),
            )
            settings = client_settings(
                str(connection["bootstrapServers"]),
                security,
                auth_dir=auth_dir,
                tls_dir=tls_dir,
                client_id="kubeless-admin",
            )
            return cls(settings)
        except CredentialsError as error:
            said = str(error)
            raise Failure(error.reason, f"{said[:1].upper()}{said[1:]}.") from None
        except KafkaException as error:
            # A certificate or key that librdkafka can't read.
            raise Failure(
                "ConnectionInvalid", f"Kafka can't be reached with these settings: {_said(error)}."
            ) from None

    def metadata(self) -> ClusterMetadata:
        """The brokers and topics there are; asks for at most the patience. Raises Failure."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self.admin.list_topics(timeout=2.0)
            except KafkaException as error:
                self.admin.poll(0)
                trouble = self._trouble or error.args[0]
                final = trouble.code() in FINAL
                if final or time.monotonic() > deadline:
                    servers = self._settings["bootstrap.servers"]
                    raise failure_of(trouble, f"Kafka at {servers}") from None

    def topic(self, name: str) -> TopicMetadata:
        """What is known of a topic. Raises Failure when there is none."""
        found = self.metadata().topics.get(name)
        if found is None:
            raise Failure(
                "TopicNotFound",
                f"There is no topic '{name}'; 'kubeless topic list' shows those there are, and "
                f"'kubeless topic create {name}' makes it.",
            )
        if found.error is not None:
            raise failure_of(found.error, f"topic '{name}'")
        return found

    @property
    def user(self) -> str:
        """The user that this is; "" without credentials."""
        return str(self._settings.get("sasl.username") or "")

    def producer(self) -> Producer:
        """One whose records are written by all replicas in sync, once and in order."""
        return Producer(
            self._with(
                {
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 5,
                    "delivery.timeout.ms": 60_000,
                    # The topic's own limit decides, not the client's.
                    "message.max.bytes": 1_000_000_000,
                    "queue.buffering.max.kbytes": 32 * 1024,
                    # As Java's producers: a key's records stay in its partition.
                    "partitioner": "murmur2_random",
                }
            )
        )

    def consumer(self, group: str) -> Consumer:
        """One that is told what to read, and commits only what it is told to."""
        return Consumer(
            self._with(
                {
                    "group.id": group,
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "queued.max.messages.kbytes": 16 * 1024,
                    "check.crcs": True,
                }
            )
        )

    def _with(self, more: Settings) -> dict[str, Any]:
        return {**self._settings, **more, "error_cb": self._heard, "logger": _QUIET}

    def _heard(self, error: KafkaError) -> None:
        # That all brokers are down comes last and says least.
        if self._trouble is None or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._trouble = error


def call(what: str, request: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `request` returns, of a future its result. Raises Failure with the sentence for its error.

    What passes by itself (a coordinator that moves or is still loading) is asked again for at most
    `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = request()
            return answer.result() if hasattr(answer, "result") else answer
        except KafkaException as error:
            found = error.args[0]
            if found.code() not in _PASSES or time.monotonic() > deadline:
                raise failure_of(found, what) from None
            time.sleep(0.2)
        except (ValueError, TypeError) as error:
            # What librdkafka refuses before it asks a broker.
            raise Failure("Invalid", f"{what[:1].upper()}{what[1:]}: {error}.") from None


def _said(error: KafkaException) -> str:
    inner = error.args[0] if error.args else error
    said = inner.str() if isinstance(inner, KafkaError) else str(inner)
    return " ".join(said.split()).rstrip(".")
