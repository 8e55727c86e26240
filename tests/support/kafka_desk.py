"""Kafka for a test on this host, by way of a pod."""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from support import pod_programs
from support.waiting import wait_for

Object = dict[str, Any]
SERVER = Path(__file__).with_name("kafka_desk_server.py")
NOTHING = -1001


@dataclass(frozen=True)
class Record:
    """A record, to be sent (``partition`` None: by its key) or as it was found."""

    value: bytes | None = b""
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    partition: int | None = None
    offset: int = -1
    timestamp: int = 0

    def header(self, name: str) -> str:
        """A header's value as text. Raises KeyError without one."""
        found = dict(self.headers)[name]
        return (found or b"").decode()


@dataclass(frozen=True)
class Desk:
    """What tests do with Kafka; each raises AssertionError with Kafka's own words."""

    program: pod_programs.Program
    settings: Mapping[str, str] = field(default_factory=dict)

    def create(self, topic: str, partitions: int = 1, replicas: int = 1, **config: str) -> None:
        """Make a topic, with settings like ``max_message_bytes="200"``, and wait until it is known."""
        wanted = {name.replace("_", "."): value for name, value in config.items()}
        self._ask("create", topic=topic, partitions=partitions, replicas=replicas, config=wanted)
        wait_for(lambda: len(self.topics().get(topic, {})) == partitions, f"{topic} is known")

    def configure(self, topic: str, **config: str) -> None:
        """Change some of a topic's settings; ``max_message_bytes="200"``."""
        wanted = {name.replace("_", "."): value for name, value in config.items()}
        self._ask("configure", topic=topic, config=wanted)

    def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        self._ask("delete", topic=topic)
        wait_for(lambda: topic not in self.topics(), f"{topic} is gone")

    def topics(self) -> dict[str, dict[str, Any]]:
        """Of each topic, of each partition: the leader, the replicas, those in sync."""
        found: dict[str, dict[str, Any]] = self._ask("topics")
        return found

    def send(self, topic: str, *records: Record) -> list[tuple[int, int]]:
        """Send records; the partition and offset of each."""
        found = self._ask("produce", topic=topic, records=[_written(record) for record in records])
        return [(partition, offset) for partition, offset in found]

    def read(self, topic: str) -> list[Record]:
        """All records of a topic, in the order of each partition."""
        return [_read(found) for found in self._ask("records", topic=topic)]

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """What a group has committed; NOTHING where it has not."""
        found = self._ask("committed", group=group, topic=topic)
        return {int(partition): offset for partition, offset in found.items()}

    def lag(self, group: str, topic: str) -> int:
        """How many records a group has not committed, in all partitions."""
        done = self.committed(group, topic)
        ends = self._ask("ends", topic=topic)
        return sum(
            high - max(done.get(int(partition), 0), low) for partition, (low, high) in ends.items()
        )

    def groups(self) -> list[str]:
        """All consumer groups."""
        found: list[str] = self._ask("groups")
        return found

    def _ask(self, operation: str, **arguments: Any) -> Any:
        body = json.dumps({"settings": dict(self.settings), **arguments})
        status, content = request(self.program.address, "POST", f"/{operation}", body)
        found = json.loads(content)
        assert status == 200, f"{operation} {arguments.get('topic', '')}: {found}"
        return found


def new_topic() -> str:
    """A name that no other topic has."""
    return f"t-{uuid.uuid4().hex[:8]}"


def start(client: Client, namespace: str, settings: Mapping[str, str], name: str = "desk") -> Desk:
    """Start the pod; ``settings`` are librdkafka's, `bootstrap.servers` and what else is needed."""
    program = pod_programs.start(client, namespace, name, SERVER)
    program.wait()
    return Desk(program, dict(settings))


def request(
    host: str, method: str, path: str, body: str | None = None, port: int = pod_programs.PORT
) -> tuple[int, bytes]:
    """One call of a program in the cluster, once it can be reached: kube-proxy lags behind the pods."""

    def connected() -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.connect()
        except OSError:
            connection.close()
            return None
        return connection

    connection = wait_for(connected, f"{host}:{port} takes connections")
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _written(record: Record) -> Object:
    found: Object = {
        "key": _encoded(record.key),
        "value": _encoded(record.value),
        "headers": [[name, _encoded(value)] for name, value in record.headers],
    }
    if record.partition is not None:
        found["partition"] = record.partition
    if record.timestamp:
        found["timestamp"] = record.timestamp
    return found


def _read(found: Object) -> Record:
    return Record(
        value=_decoded(found["value"]),
        key=_decoded(found["key"]),
        headers=[(name, _decoded(value)) for name, value in found["headers"]],
        partition=found["partition"],
        offset=found["offset"],
        timestamp=found["timestamp"],
    )


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
