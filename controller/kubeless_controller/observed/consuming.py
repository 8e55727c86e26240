"""Whether a trigger's records are read, put together from what its consumers say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubeless_api import conditions
from kubeless_controller.observed.consumer_report import Report, Trouble
from kubeless_controller.observed.verdict import Verdict

# A place that was committed is the ordinary case, and tells least.
_STARTS_BY_WEIGHT = ("earliest", "latest", "committed")
_SECRET = re.compile(r"\bsecret\b", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """One pod: what it says, None when it has said nothing; ``failure`` is why it cannot be asked, '' when it can."""

    pod: str
    report: Report | None
    failure: str = ""


@dataclass(frozen=True)
class Expected:
    """What the consumers were told: ``functions`` are names; the Secrets are '' for none."""

    topic: str
    functions: Sequence[str]
    config_hash: str
    auth_secret: str = ""
    tls_secret: str = ""


@dataclass(frozen=True)
class Group:
    """One function's consumer group over all pods; ``partitions`` is None while nobody knows."""

    name: str
    partitions: int | None
    assigned: int
    lag: int


def groups(expected: Expected, seen: Iterable[Seen]) -> list[Group]:
    """The groups of the functions, by name; functions of which no pod speaks have none."""
    found: list[Group] = []
    reports = [one.report for one in seen if one.report is not None]
    for name in sorted(expected.functions):
        parts = [part for report in reports for part in report.subscriptions if part.name == name]
        if parts:
            known = [part.partitions for part in parts if part.partitions is not None]
            assigned = frozenset[int]().union(*(part.assigned for part in parts))
            found.append(
                Group(
                    name, max(known, default=None), len(assigned), sum(part.lag for part in parts)
                )
            )
    return found


def numbers(expected: Expected, seen: Sequence[Seen]) -> dict[str, int | None]:
    """partitions, assignedPartitions and lag of the status; None for what nobody knows.

    A partition counts as assigned when each function's group has a consumer for it.
    """
    found = groups(expected, seen)
    if not found:
        return {"partitions": None, "assignedPartitions": None, "lag": None}
    known = [group.partitions for group in found if group.partitions is not None]
    return {
        "partitions": max(known, default=None),
        "assignedPartitions": min(group.assigned for group in found),
        # Of a topic that nobody has seen, 0 would say that all is done.
        "lag": sum(group.lag for group in found) if len(known) == len(found) else None,
    }


def topic_missing(expected: Expected, seen: Iterable[Seen]) -> bool:
    """Say whether a consumer saw that the topic, as it is named now, was not there."""
    return any(report.topic_missing for report in _current(expected, seen))


def start(seen: Iterable[Seen]) -> str:
    """From where reading began: of several, the most telling one; '' when nobody knows."""
    found = {
        part.start for one in seen if one.report is not None for part in one.report.subscriptions
    }
    return next((word for word in _STARTS_BY_WEIGHT if word in found), "")


def last_error(seen: Iterable[Seen]) -> dict[str, str] | None:
    """What went wrong last, over all pods; None when nothing did."""
    found = [
        (part.last_error.time, part.name, part.last_error)
        for one in seen
        if one.report is not None
        for part in one.report.subscriptions
        if part.last_error is not None and part.last_error.time
    ]
    if not found:
        return None
    time, name, trouble = max(found, key=lambda entry: entry[:2])
    return {
        "reason": trouble.reason,
        "message": f"function {name}: {trouble.message}",
        "time": time,
    }


def ready(expected: Expected, rollout: Verdict, seen: Sequence[Seen], paused: bool) -> Verdict:
    """The Ready condition of a trigger that is accepted; ``rollout`` says how far its pods are."""
    if rollout.reason == conditions.SCALED_TO_ZERO:
        return Verdict(
            False, rollout.reason, "spec.replicas is 0: no consumer runs, and records wait"
        )
    if paused:
        message = "spec.paused is true: records wait until it is taken out"
        return Verdict(False, conditions.PAUSED, message)
    if not expected.functions:
        return Verdict(
            False,
            conditions.NO_FUNCTIONS,
            "spec.functionSelector: no Function of this namespace has these labels; records wait until one has",
        )
    ordered = sorted(seen, key=lambda one: one.pod)
    return (
        _trouble(expected, ordered)
        or _pods(expected, rollout)
        or _unread(ordered)
        or _behind(expected, ordered)
        or _joining(expected, ordered)
        or _consuming(expected, ordered)
    )


def _current(expected: Expected, seen: Iterable[Seen]) -> list[Report]:
    """What is said by those that go by the newest configuration."""
    return [
        one.report
        for one in seen
        if one.report is not None and one.report.config_hash == expected.config_hash
    ]


def _trouble(expected: Expected, seen: Sequence[Seen]) -> Verdict | None:
    """What a consumer says holds it up; of its functions only once it goes by the newest configuration."""
    for one in seen:
        if one.report is not None and one.report.problem is not None:
            return _told(expected, one.report.problem, "")
    found = [
        (part.name, part.problem)
        for report in _current(expected, seen)
        for part in report.subscriptions
        if part.problem is not None and part.name in expected.functions
    ]
    if not found:
        return None
    name, trouble = min(found, key=lambda entry: (entry[0], entry[1].reason, entry[1].message))
    return _told(expected, trouble, f"function {name}: ")


def _told(expected: Expected, trouble: Trouble, prefix: str) -> Verdict:
    hint = ""
    if trouble.reason == "AuthenticationFailed" and expected.auth_secret:
        hint = (
            f"; the credentials are those of the Secret {expected.auth_secret!r} in this namespace"
        )
    elif trouble.reason == "TLSFailed" and expected.tls_secret:
        hint = (
            f"; the certificates are those of the Secret {expected.tls_secret!r} in this namespace: it must be there, and "
            "have the key ca.crt"
        )
    return Verdict(False, trouble.reason, f"{prefix}{trouble.message}{hint}")


def _pods(expected: Expected, rollout: Verdict) -> Verdict | None:
    if rollout.ok:
        return None
    secret = expected.auth_secret
    if (
        secret
        and rollout.reason == conditions.CONTAINER_CONFIG_ERROR
        and _SECRET.search(rollout.message)
    ):
        return Verdict(
            False,
            conditions.SECRET_MISSING,
            f"the Secret {secret!r} of this namespace must have the keys username and password, and has not, or is not "
            f"there ({rollout.message}); `kubeless kafka user create` makes a user and such a Secret",
        )
    return rollout


def _unread(seen: Sequence[Seen]) -> Verdict | None:
    for one in seen:
        if one.report is None:
            message = f"pod {one.pod} serves, and does not say how it is: {one.failure}"
            return Verdict(False, conditions.CONSUMER_UNREADABLE, message)
    return None


def _behind(expected: Expected, seen: Sequence[Seen]) -> Verdict | None:
    newest = len(_current(expected, seen))
    if seen and newest == len(seen):
        return None
    message = f"{newest} of {len(seen)} consumers have read the newest configuration"
    return Verdict(False, conditions.PROGRESSING, message)


def _joining(expected: Expected, seen: Sequence[Seen]) -> Verdict | None:
    found = {group.name: group for group in groups(expected, seen)}
    for name in sorted(expected.functions):
        group = found.get(name)
        if group is None or group.partitions is None:
            message = f"function {name}: its consumer group is being joined"
            return Verdict(False, conditions.PROGRESSING, message)
        if group.assigned < group.partitions:
            message = f"function {name}: {group.assigned} of {group.partitions} partitions have a consumer"
            return Verdict(False, conditions.PROGRESSING, message)
    return None


def _consuming(expected: Expected, seen: Sequence[Seen]) -> Verdict:
    partitions = max((group.partitions or 0) for group in groups(expected, seen))
    consumers = len(seen)
    idle = consumers - partitions
    calls = _count(len(expected.functions), "function")
    message = f"{_count(partitions, 'partition')} of topic {expected.topic!r} for {calls}: {_count(consumers, 'consumer')}"
    if idle > 0:
        has = "1 has" if idle == 1 else f"{idle} have"
        message += f"; {has} nothing to do: a partition has one consumer at most"
    return Verdict(True, conditions.CONSUMING, message)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
