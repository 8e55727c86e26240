"""The document of /status."""

from __future__ import annotations

from typing import Any

from kubeless_kafka.partition import Partition
from kubeless_kafka.problems import Problem
from kubeless_kafka.start import most_telling
from kubeless_kafka.worker import Worker

VERSION = 1


def document(
    *,
    pod: str,
    config_hash: str,
    state: str,
    problem: Problem | None,
    topic_missing: bool,
    workers: list[Worker],
) -> dict[str, Any]:
    """What the controller polls; docs/kafka.md tells what of it a trigger's status shows."""
    return {
        "version": VERSION,
        "pod": pod,
        "configHash": config_hash,
        "state": state,
        "problem": _document(problem),
        "topicMissing": topic_missing,
        "functions": [_function(worker) for worker in workers],
    }


def _function(worker: Worker) -> dict[str, Any]:
    partitions = sorted(worker.partitions.values(), key=lambda one: one.number)
    return {
        "name": worker.function.name,
        "group": worker.function.group,
        "partitions": worker.prober.count,
        "start": most_telling({one.start for one in partitions}),
        "assigned": [_partition(one) for one in partitions],
        "problem": _document(worker.board.current),
        "lastError": _document(worker.board.last_error),
    }


def _partition(partition: Partition) -> dict[str, Any]:
    return {
        "partition": partition.number,
        "committed": partition.tracker.acknowledged,
        "highWatermark": partition.high_watermark,
        "lag": partition.lag,
        "inFlight": partition.in_flight,
        "uncommitted": partition.tracker.uncommitted,
        "paused": partition.paused,
    }


def _document(problem: Problem | None) -> dict[str, str] | None:
    return None if problem is None else problem.document()
