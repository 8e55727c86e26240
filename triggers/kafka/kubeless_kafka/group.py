"""librdkafka's settings of a member of a consumer group."""

from __future__ import annotations

from kubeless_kafka import room
from kubeless_kafka.connection import Settings

_SETTINGS: Settings = {
    # Known to all brokers; docs/adr/0012 says why not the newer protocol.
    "group.protocol": "classic",
    "partition.assignment.strategy": "cooperative-sticky",
    # The client's own thread sends heartbeats: what a dead consumer held is free after this.
    "session.timeout.ms": 10000,
    "heartbeat.interval.ms": 1000,
    "max.poll.interval.ms": 300000,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "check.crcs": True,
    "isolation.level": "read_committed",
    "allow.auto.create.topics": False,
    # Topics and partitions that are added are seen soon.
    "topic.metadata.refresh.interval.ms": 5000,
    "queued.min.messages": 2000,
    "max.partition.fetch.bytes": 1048576,
    "fetch.wait.max.ms": 500,
    "fetch.error.backoff.ms": 200,
}


def settings(name: str, functions: int) -> Settings:
    """Of a member of the group of this name, in a process that is one for so many functions."""
    return {
        **_SETTINGS,
        "group.id": name,
        # What is fetched ahead is bounded; a record that is larger than a fetch comes alone.
        "queued.max.messages.kbytes": room.fetched(functions) // 1024,
        "fetch.max.bytes": room.fetch(functions),
    }
