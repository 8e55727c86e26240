"""Topics: create, list, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from confluent_kafka.admin import NewTopic

from kubeless_kafka.admin.failure import Failure
from kubeless_kafka.admin.kafka import REQUEST_SECONDS, Kafka, call

Object = dict[str, Any]


def create(kafka: Kafka, arguments: Object) -> Object:
    """Make a topic; -1 partitions or replicas are what the brokers have as default. Raises Failure."""
    name = str(arguments["name"])
    brokers = len(kafka.metadata().brokers)
    replicas = int(arguments.get("replicationFactor", -1))
    if replicas > brokers:
        raise Failure(
            "InvalidReplicationFactor",
            f"Topic '{name}' can't have {replicas} replicas: each broker has at most one, and there "
            f"{'is' if brokers == 1 else 'are'} {brokers}.",
        )
    topic = NewTopic(
        name,
        num_partitions=int(arguments.get("partitions", -1)),
        replication_factor=replicas,
        config={str(key): str(value) for key, value in (arguments.get("config") or {}).items()},
    )
    what = f"topic '{name}'"
    futures = call(
        what,
        lambda: kafka.admin.create_topics(
            [topic], operation_timeout=REQUEST_SECONDS, request_timeout=REQUEST_SECONDS
        ),
    )
    call(what, lambda: futures[name])
    return {"name": name}


def list_topics(kafka: Kafka, arguments: Object) -> Object:
    """Names, partitions and replicas of the topics; Kafka's own only with ``internal``."""
    found = [
        {
            "name": name,
            "partitions": len(topic.partitions),
            "replicationFactor": max(
                (len(partition.replicas) for partition in topic.partitions.values()), default=0
            ),
        }
        for name, topic in kafka.metadata().topics.items()
        if arguments.get("internal") or not name.startswith("__")
    ]
    return {"topics": sorted(found, key=lambda topic: str(topic["name"]))}


def delete(kafka: Kafka, arguments: Object) -> Object:
    """Delete topics; says which there were not. Raises Failure for the first that can't be deleted."""
    wanted = [str(name) for name in arguments["names"]]
    present = set(kafka.metadata().topics)
    there = [name for name in wanted if name in present]
    if there:
        futures = call(
            f"topic '{there[0]}'",
            lambda: kafka.admin.delete_topics(
                there, operation_timeout=REQUEST_SECONDS, request_timeout=REQUEST_SECONDS
            ),
        )
        for name in there:
            call(f"topic '{name}'", partial(futures.get, name))
    return {"deleted": there, "missing": [name for name in wanted if name not in present]}
