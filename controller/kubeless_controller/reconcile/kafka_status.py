"""A KafkaTrigger's status, put together from what lives in the caches and what its consumers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api import conditions
from kubeless_api.kafka_trigger import KafkaTrigger
from kubeless_controller.desired.consumer_name import name_of, selector_labels
from kubeless_controller.observed import consuming, rollout
from kubeless_controller.observed.consuming import Expected, Seen
from kubeless_controller.observed.pods import is_ready
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.child import owned_by
from kubeless_controller.reconcile.consumers import Consumers, is_asked
from kubeless_controller.reconcile.kafka_caches import KafkaCaches
from kubeless_controller.reconcile.status_writer import StatusWriter

Object = dict[str, Any]

# A pod that has just started is asked within moments.
UNHEARD_SECONDS = 1.0


@dataclass(frozen=True)
class Built:
    """What a pass made: ``functions`` are the names that are selected, ``broken`` says why some cannot be called."""

    trigger: KafkaTrigger
    functions: tuple[str, ...]
    broken: Mapping[str, str]
    config_hash: str
    topic_missing: bool


class KafkaStatus:
    """Puts the status together and has it written.

    * What is said of the topic stays until the trigger names another one.
    * Nothing is said before every pod was asked once: a controller that starts finds what the one before it wrote.
    """

    def __init__(self, caches: KafkaCaches, consumers: Consumers, writer: StatusWriter) -> None:
        self._caches = caches
        self._consumers = consumers
        self._writer = writer

    def topic_missing(self, obj: Object, trigger: KafkaTrigger) -> bool:
        """Say whether the topic was once seen to be missing, by the status as it is."""
        before = obj.get("status") or {}
        return before.get("topic") == trigger.topic and bool(before.get("topicMissing"))

    def write(self, obj: Object, accepted: Verdict, built: Built | None) -> float | None:
        """Bring the status up to date; returns the seconds after which to look again, None for not by itself.

        Raises Conflict when the trigger changed meanwhile.
        """
        metadata = obj["metadata"]
        key = (metadata["namespace"], metadata["name"])
        deployment = self._deployment(obj)
        fresh: Object = {
            "replicas": ((deployment or {}).get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{k}={v}" for k, v in selector_labels(key[1]).items()),
        }
        ready = Verdict(False, accepted.reason, accepted.message)
        if accepted.ok and built is not None:
            pods = self._caches.pods.in_group(key)
            if any(is_asked(pod) and self._consumers.of(pod) is None for pod in pods):
                return UNHEARD_SECONDS
            seen = [one for pod in pods if (one := self._heard(pod)) is not None]
            expected = _expected(built)
            fresh |= _said(obj.get("status") or {}, built, expected, seen)
            sets = self._caches.replica_sets.in_group(key)
            newest, new_pods = rollout.newest_pods(deployment, sets, pods)
            progress = rollout.ready(deployment, new_pods, newest)
            paused = built.trigger.paused
            ready = _with_broken(consuming.ready(expected, progress, seen, paused), built)
        self._writer.write(obj, {conditions.ACCEPTED: accepted, conditions.READY: ready}, fresh)
        return None

    def _deployment(self, obj: Object) -> Object | None:
        metadata = obj["metadata"]
        found = self._caches.deployments.get(metadata["namespace"], name_of(metadata["name"]))
        return found if found is not None and owned_by(found, metadata["uid"]) else None

    def _heard(self, pod: Object) -> Seen | None:
        """What a pod says; None for one that is not asked, or that is silent and does not serve anyway."""
        seen = self._consumers.of(pod) if is_asked(pod) else None
        return None if seen is not None and seen.report is None and not is_ready(pod) else seen


def _expected(built: Built) -> Expected:
    connection = built.trigger.connection
    return Expected(
        topic=built.trigger.topic,
        functions=tuple(name for name in built.functions if name not in built.broken),
        config_hash=built.config_hash,
        auth_secret=connection.auth_secret,
        tls_secret=connection.tls_secret,
    )


def _said(before: Object, built: Built, expected: Expected, seen: list[Seen]) -> Object:
    """What stands beside the conditions; None takes a field out."""
    same = before.get("topic") == built.trigger.topic
    known = before if same else {}
    return {
        "topic": built.trigger.topic,
        "deadLetterTopic": built.trigger.dead_letter_topic,
        "functions": list(built.functions),
        "functionsMatched": len(built.functions),
        **consuming.numbers(expected, seen),
        "topicMissing": built.topic_missing or consuming.topic_missing(expected, seen) or None,
        "startOffset": consuming.start(seen) or known.get("startOffset"),
        "lastError": _newer(known.get("lastError"), consuming.last_error(seen)),
    }


def _newer(known: Object | None, told: Object | None) -> Object | None:
    """The later of two errors: what is known stays when the pod that met it is gone."""
    if known is None or told is None:
        return known or told
    return told if told["time"] >= str(known.get("time") or "") else known


def _with_broken(ready: Verdict, built: Built) -> Verdict:
    """Say so when all would be well but for Functions that cannot be called."""
    if not built.broken or not (ready.ok or ready.reason == conditions.NO_FUNCTIONS):
        return ready
    name, message = min(built.broken.items())
    return Verdict(
        False,
        conditions.FUNCTION_INVALID,
        f"the Function {name!r} cannot be built, and its records wait; mend it: {message}",
    )
