"""The KafkaTrigger that a command line asks for: pure, no cluster."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api.duration import parse
from kubeless_api.errors import SpecError
from kubeless_api.kafka_trigger import OUTCOMES
from kubeless_cli.errors import Failure
from kubeless_cli.fields import put
from kubeless_cli.flags import Given
from kubeless_cli.trigger import annotate, owner

Object = dict[str, Any]


@dataclass(frozen=True)
class KafkaWish(Given):
    """What the flags of one command line ask for. None: the flag was not given."""

    trigger_topic: str | None = None
    function_selector: Object | None = None
    bootstrap_servers: str | None = None
    auth_secret: str | None = None
    auth_mechanism: str | None = None
    tls: bool | None = None
    tls_secret: str | None = None
    consumer_group: str | None = None
    start_offset: str | None = None
    attempts: int | str | None = None
    initial_backoff: str | None = None
    max_backoff: str | None = None
    on_status: Mapping[str, str] | None = None
    dead_letter_topic: str | None = None
    response_topic: str | None = None
    batch_size: int | str | None = None
    batch_wait: str | None = None
    max_in_flight: int | str | None = None
    max_uncommitted: int | str | None = None
    replicas: int | str | None = None
    paused: bool | None = None
    label: Mapping[str, str] | None = None
    annotation: Mapping[str, str] | None = None


def change(trigger: Object, wish: KafkaWish) -> Object:
    """A copy of `trigger` with what the flags say changed.

    Raises ValueError for flags that do not go together, Failure for what a Function decides.
    """
    refuse_what_a_function_decides(trigger, wish)
    trigger = copy.deepcopy(trigger)
    annotate(trigger["metadata"], wish.label, wish.annotation)
    spec: Object = trigger.setdefault("spec", {})
    put(spec, "topic", wish.trigger_topic)
    put(spec, "functionSelector", wish.function_selector)
    put(spec, "bootstrapServers", wish.bootstrap_servers)
    _credentials(spec, wish)
    put(spec, "consumerGroup", wish.consumer_group)
    put(spec, "startOffset", wish.start_offset)
    _within(
        spec,
        "retry",
        {
            "attempts": wish.attempts,
            "initialBackoff": wish.initial_backoff,
            "maxBackoff": wish.max_backoff,
            "statuses": wish.on_status,
        },
    )
    put(spec, "deadLetterTopic", wish.dead_letter_topic)
    put(spec, "responseTopic", wish.response_topic)
    if wish.batch_size == "":  # without a size there are no batches
        if wish.batch_wait:
            raise ValueError("--batch-wait needs a --batch-size: expected both, or none.")
        spec.pop("batch", None)
    else:
        _within(spec, "batch", {"size": wish.batch_size, "wait": wish.batch_wait})
    if "wait" in (spec.get("batch") or {}) and "size" not in spec["batch"]:
        raise ValueError("--batch-wait needs a --batch-size, such as --batch-size 100.")
    put(spec, "maxInFlight", wish.max_in_flight)
    put(spec, "maxUncommitted", wish.max_uncommitted)
    # 0 is a number of replicas like any other.
    put(spec, "replicas", wish.replicas)
    put(spec, "paused", "" if wish.paused is False else wish.paused)
    return trigger


def _credentials(spec: Object, wish: KafkaWish) -> None:
    secret, tls_secret = _reference(wish.auth_secret), _reference(wish.tls_secret)
    _within(spec, "auth", {"secretRef": secret, "mechanism": wish.auth_mechanism})
    if wish.tls is False and wish.tls_secret:
        raise ValueError("--no-tls and --tls-secret exclude each other.")
    # A Secret for TLS asks for TLS; --no-tls stays in the spec: the installation's Kafka may have it.
    enabled = True if wish.tls_secret and wish.tls is None else wish.tls
    _within(spec, "tls", {"enabled": enabled, "secretRef": _gone(wish.tls, tls_secret)})


def _gone(tls: bool | None, secret: Object | None) -> Object | None:
    return {} if tls is False else secret


def _reference(name: str | None) -> Object | None:
    return None if name is None else {"name": name} if name else {}


def _within(spec: Object, key: str, values: Mapping[str, Any]) -> None:
    """Put values into an object of the spec, which goes when nothing is in it."""
    part = dict(spec.get(key) or {})
    for name, value in values.items():
        put(part, name, value)
    if part or key in spec:
        put(spec, key, part)


def refuse_what_a_function_decides(trigger: Object, wish: KafkaWish) -> None:
    """Raise Failure for another topic or selector of a trigger that a Function's topic made."""
    function, name = owner(trigger), trigger["metadata"]["name"]
    if not function:
        return
    spec = trigger.get("spec") or {}
    if wish.trigger_topic not in (None, spec.get("topic")):
        raise Failure(
            f"Kafka trigger {name} has the topic of function {function}, which would set it again; "
            f"nothing was done.\nChange spec.topic there: 'kubectl edit function {function}'."
        )
    if wish.function_selector not in (None, spec.get("functionSelector")):
        raise Failure(
            f"Kafka trigger {name} is the topic of function {function}, and calls nothing else; "
            "nothing was done.\nCreate another one, with a name of its own."
        )


def refuse_to_delete_what_comes_back(trigger: Object) -> None:
    """Raise Failure for a trigger that a Function's topic would make again."""
    function = owner(trigger)
    if function:
        raise Failure(
            f"Kafka trigger {trigger['metadata']['name']} has the topic of function {function} and "
            "would come back; nothing was deleted.\n"
            f"Take spec.topic out of it ('kubectl edit function {function}'), or delete the function."
        )


def duration(value: str, least: float, most: float) -> str:
    """A duration as the spec takes it, from `least` to `most` seconds. Raises ValueError."""
    try:
        parse(value, "", 0.0, least, most)
    except SpecError:
        raise ValueError(
            f"'{value}' is not a duration from {least:g} to {most:g} seconds: expected one such as 500ms, 2s or 1m30s."
        ) from None
    return value if value[-1].isalpha() else f"{value}s"


def check_outcome(status: str, outcome: str) -> None:
    """Raise ValueError for what the table of a trigger's statuses can't have."""
    if not re.fullmatch(r"[1-5](\d\d|xx)", status):
        raise ValueError(f"'{status}' is not a status: expected one such as 404 or 5xx.")
    if outcome not in OUTCOMES:
        raise ValueError(f"'{outcome}' is no outcome of {status}: expected {', '.join(OUTCOMES)}.")
