"""A KafkaTrigger as its user wrote it, parsed and checked.

The API server has checked the schema already, yet an object may be older than
the schema: everything is checked here too, and every error is a SpecError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubeless_api import duration, fields, kafka_topic, label_selector, names
from kubeless_api.conditions import INVALID_SPEC, NOTHING_SELECTED
from kubeless_api.errors import SpecError
from kubeless_api.kafka_connection import Connection, connection_of
from kubeless_api.label_selector import Selector

LATEST = "latest"
EARLIEST = "earliest"
OUTCOMES = ("Success", "Retry", "Wait", "DeadLetter")
DEFAULT_ATTEMPTS = 8
DEFAULT_INITIAL_BACKOFF = 0.5
DEFAULT_MAX_BACKOFF = 60.0
DEFAULT_BATCH_WAIT = 0.05
DEFAULT_MAX_IN_FLIGHT = 32
DEFAULT_MAX_UNCOMMITTED = 1000
DEFAULT_REPLICAS = 1
MAX_ATTEMPTS = 1000
MAX_BATCH = 10_000
MAX_IN_FLIGHT = 1000
MAX_UNCOMMITTED = 100_000
MAX_BACKOFF_SECONDS = 3600.0
MAX_BATCH_WAIT_SECONDS = 60.0
MAX_GROUP_LENGTH = 249

_STATUS = re.compile(r"[1-5]([0-9]{2}|xx)")
_GROUP = re.compile(r"[a-zA-Z0-9._-]{1,249}")


@dataclass(frozen=True)
class Retry:
    """``attempts`` counts the first; times in seconds; ``statuses`` maps '404' or '5xx' to an outcome."""

    attempts: int
    initial_backoff: float
    max_backoff: float
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Batch:
    """At most ``size`` records a call, and at most ``wait`` seconds until there are so many."""

    size: int
    wait: float


@dataclass(frozen=True)
class KafkaTrigger:
    """One KafkaTrigger; fields that are not set have their defaults or are empty.

    ``batch`` is None when each record has a call of its own.
    """

    kind: ClassVar[str] = names.KAFKA_TRIGGER_KIND

    namespace: str
    name: str
    uid: str
    topic: str
    selector: Selector
    connection: Connection
    consumer_group: str
    start_offset: str
    retry: Retry
    dead_letter_topic: str
    response_topic: str
    batch: Batch | None
    max_in_flight: int
    max_uncommitted: int
    replicas: int
    paused: bool
    resources: Mapping[str, Any]

    def group_of(self, function: str) -> str:
        """The consumer group in which a function's records are counted.

        A group that users named is the whole name only where the selector itself allows one function: with every other
        rule the group of one function would change, and its place in the topic be lost, when another comes or goes.
        """
        if not self.consumer_group:
            return f"{self.namespace}_{self.name}_{function}_{self.topic}"
        if self.selector.only_value(names.LABEL_FUNCTION) == function:
            return self.consumer_group
        return f"{self.consumer_group}_{function}"


def parse(obj: Mapping[str, Any], settings: Mapping[str, Any]) -> KafkaTrigger:
    """Parse a KafkaTrigger object of the API server; ``settings`` as for ``connection_of``. Raises SpecError."""
    metadata = obj["metadata"]
    spec = fields.mapping(obj, "spec", "")
    namespace, name = metadata["namespace"], metadata["name"]
    topic = kafka_topic.check(fields.text(spec, "topic", "spec"), "spec.topic")
    in_flight = _bounded(spec, "maxInFlight", "spec", DEFAULT_MAX_IN_FLIGHT, MAX_IN_FLIGHT)
    batch = _batch(fields.mapping(spec, "batch", "spec"))
    return KafkaTrigger(
        namespace=namespace,
        name=name,
        uid=metadata["uid"],
        topic=topic,
        selector=selector_of(obj),
        connection=connection_of(spec, settings, namespace=namespace, trigger=name),
        consumer_group=_group(fields.text(spec, "consumerGroup", "spec")),
        start_offset=_start(fields.text(spec, "startOffset", "spec")),
        retry=_retry(fields.mapping(spec, "retry", "spec")),
        dead_letter_topic=_other_topic(spec, "deadLetterTopic", topic)
        or kafka_topic.dead_letters_of(topic),
        response_topic=_response_topic(spec, topic, batch),
        batch=batch,
        max_in_flight=in_flight,
        max_uncommitted=_uncommitted(spec, in_flight),
        replicas=_or_default(fields.number(spec, "replicas", "spec"), DEFAULT_REPLICAS),
        paused=fields.flag(spec, "paused", "spec"),
        resources={
            kind: quantities
            for kind, quantities in fields.mapping(spec, "resources", "spec").items()
            if quantities
        },
    )


def selector_of(obj: Mapping[str, Any]) -> Selector:
    """Which Functions a KafkaTrigger object calls. Raises SpecError."""
    spec = fields.mapping(obj, "spec", "")
    selector = label_selector.parse(spec, "functionSelector", "spec")
    if not selector.requirements:
        raise SpecError(
            NOTHING_SELECTED,
            "spec.functionSelector: found nothing; write the labels of the Functions that are to be called, like "
            f"'matchLabels: {{{names.LABEL_FUNCTION}: my-function}}', or '{names.LABEL_CREATED_BY}: {names.CREATED_BY}' for "
            "all Functions of this namespace",
        )
    return selector


def labels_of(function: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a Function object as selectors see them: its own, and those by which its pods are found.

    The original's command line gave every Function those two; one that was applied by other means has them all the same.
    """
    metadata = function["metadata"]
    return {**(metadata.get("labels") or {}), **names.selector_labels(metadata["name"])}


def _retry(found: Mapping[str, Any]) -> Retry:
    path = "spec.retry"
    initial = duration.parse(
        found.get("initialBackoff"),
        f"{path}.initialBackoff",
        DEFAULT_INITIAL_BACKOFF,
        0.001,
        MAX_BACKOFF_SECONDS,
    )
    longest = duration.parse(
        found.get("maxBackoff"),
        f"{path}.maxBackoff",
        max(DEFAULT_MAX_BACKOFF, initial),
        0.001,
        MAX_BACKOFF_SECONDS,
    )
    if longest < initial:
        raise fields.wrong(
            f"{path}.maxBackoff",
            found["maxBackoff"],
            f"no less than {path}.initialBackoff, {initial:g} s",
        )
    statuses = fields.strings(found, "statuses", path)
    for status, outcome in statuses.items():
        if _STATUS.fullmatch(status) is None:
            raise fields.wrong(f"{path}.statuses", status, "HTTP statuses like 404 or 5xx as keys")
        if outcome not in OUTCOMES:
            raise fields.wrong(
                f"{path}.statuses[{status}]", outcome, f"one of {', '.join(OUTCOMES)}"
            )
    return Retry(
        attempts=_bounded(found, "attempts", path, DEFAULT_ATTEMPTS, MAX_ATTEMPTS),
        initial_backoff=initial,
        max_backoff=longest,
        statuses=dict(statuses),
    )


def _batch(found: Mapping[str, Any]) -> Batch | None:
    if found.get("size") is None and found.get("wait") in (None, ""):
        return None
    if found.get("size") is None:
        raise fields.wrong("spec.batch.size", None, f"a whole number from 1 to {MAX_BATCH}")
    return Batch(
        size=_bounded(found, "size", "spec.batch", 1, MAX_BATCH),
        wait=duration.parse(
            found.get("wait"), "spec.batch.wait", DEFAULT_BATCH_WAIT, 0.0, MAX_BATCH_WAIT_SECONDS
        ),
    )


def _uncommitted(spec: Mapping[str, Any], in_flight: int) -> int:
    found = _bounded(
        spec,
        "maxUncommitted",
        "spec",
        max(DEFAULT_MAX_UNCOMMITTED, in_flight),
        MAX_UNCOMMITTED,
    )
    if found < in_flight:
        raise fields.wrong(
            "spec.maxUncommitted", found, f"no less than spec.maxInFlight, {in_flight}"
        )
    return found


def _bounded(parent: Mapping[str, Any], key: str, path: str, default: int, highest: int) -> int:
    value = fields.number(parent, key, path)
    if value is None:
        return default
    if not 1 <= value <= highest:
        raise fields.wrong(f"{path}.{key}", value, f"a whole number from 1 to {highest}")
    return value


def _other_topic(spec: Mapping[str, Any], key: str, topic: str) -> str:
    found = fields.text(spec, key, "spec")
    if not found:
        return ""
    kafka_topic.check(found, f"spec.{key}")
    if found == topic:
        raise SpecError(
            INVALID_SPEC,
            f"spec.{key}: found {found!r}, which is spec.topic itself: what is written there would be read again and "
            "again; name another topic",
        )
    return found


def _response_topic(spec: Mapping[str, Any], topic: str, batch: Batch | None) -> str:
    found = _other_topic(spec, "responseTopic", topic)
    if found and batch is not None:
        raise SpecError(
            INVALID_SPEC,
            f"spec.responseTopic: found {found!r} beside spec.batch; an answer belongs to one record, so take one of the "
            "two out",
        )
    return found


def _group(value: str) -> str:
    if value and _GROUP.fullmatch(value) is None:
        raise fields.wrong(
            "spec.consumerGroup", value, "1 to 249 letters, digits, '.', '_' and '-', like 'orders'"
        )
    return value


def _start(value: str) -> str:
    if value not in ("", LATEST, EARLIEST):
        raise fields.wrong("spec.startOffset", value, f"{LATEST} or {EARLIEST}")
    return value or LATEST


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value
