"""What a consumer says of itself: the answer of its /status, read and checked.

It comes over the network from a pod that anybody who may make pods could have
made: everything is checked, and what is too long is cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeless_controller.observed.status import cut

VERSION = 1
MAX_NAME = 512
STARTS = ("latest", "committed", "earliest")


class NoReport(Exception):
    """An answer that is none; the message says what was found and what to do."""


@dataclass(frozen=True)
class Trouble:
    """What stands in the way, or what went wrong last: ``time`` is RFC 3339, '' when it is not known."""

    reason: str
    message: str
    time: str


@dataclass(frozen=True)
class Subscription:
    """One function's part: ``partitions`` of the topic (None while unknown), those ``assigned`` here, their ``lag``.

    ``start`` says from where the assigned ones were begun, '' while nothing is known. ``problem`` holds it up now;
    ``last_error`` stays.
    """

    name: str
    partitions: int | None
    assigned: frozenset[int]
    lag: int
    start: str
    problem: Trouble | None
    last_error: Trouble | None


@dataclass(frozen=True)
class Report:
    """What one pod says."""

    config_hash: str
    state: str
    problem: Trouble | None
    topic_missing: bool
    subscriptions: tuple[Subscription, ...]


def parse(body: bytes) -> Report:
    """Read the body of an answer. Raises NoReport."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoReport(f"it answers what is no JSON ({error})") from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        found = data.get("version") if isinstance(data, dict) else data
        raise NoReport(
            f"it answers with version {cut(repr(found))[:80]} of the status, and this controller knows {VERSION}; "
            "the image of the consumers and that of the controller must be of one release"
        )
    try:
        return Report(
            config_hash=_text(data, "configHash"),
            state=_text(data, "state"),
            problem=_trouble(data, "problem"),
            topic_missing=_flag(data, "topicMissing"),
            subscriptions=tuple(_subscription(entry) for entry in _list(data, "functions")),
        )
    except (TypeError, ValueError) as error:
        raise NoReport(f"it answers with a status that cannot be read: {error}") from error


def _subscription(entry: Any) -> Subscription:
    if not isinstance(entry, dict):
        raise TypeError(f"functions: found {type(entry).__name__}, expected an object")
    assigned = _list(entry, "assigned")
    start = entry.get("start")
    if start is not None and start not in STARTS:
        raise ValueError(f"start: found {str(start)[:80]!r}, expected one of {', '.join(STARTS)}")
    return Subscription(
        name=_text(entry, "name"),
        partitions=None if entry.get("partitions") is None else _number(entry, "partitions"),
        assigned=frozenset(_number(one, "partition") for one in assigned),
        # Not known before the first record: nothing is behind, as far as anybody can say.
        lag=sum(0 if one.get("lag") is None else max(0, _number(one, "lag")) for one in assigned),
        start=start or "",
        problem=_trouble(entry, "problem"),
        last_error=_trouble(entry, "lastError"),
    )


def _trouble(parent: Mapping[str, Any], key: str) -> Trouble | None:
    found = parent.get(key)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise TypeError(f"{key}: found {type(found).__name__}, expected an object")
    reason = _text(found, "reason")
    if not reason.isalnum() or not reason.isascii() or not reason[0].isalpha():
        raise ValueError(f"{key}.reason: found {reason[:80]!r}, expected a word")
    return Trouble(reason, cut(_text(found, "message")), _time(found))


def _time(found: Mapping[str, Any]) -> str:
    """The time, when it is one: the API server takes no other."""
    value = found.get("time")
    if not isinstance(value, str):
        return ""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    return "" if moment.tzinfo is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    if not isinstance(value, str):
        raise TypeError(f"{key}: found {type(value).__name__}, expected a string")
    if key != "message" and len(value) > MAX_NAME:
        raise ValueError(f"{key}: found {len(value)} characters, expected {MAX_NAME} at most")
    return value


def _number(parent: Any, key: str) -> int:
    value = parent.get(key) if isinstance(parent, dict) else parent
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise TypeError(f"{key}: found {type(value).__name__}, expected a whole number")
    return value


def _flag(parent: Mapping[str, Any], key: str) -> bool:
    value = parent.get(key)
    if not isinstance(value, bool):
        raise TypeError(f"{key}: found {type(value).__name__}, expected true or false")
    return value


def _list(parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = parent.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise TypeError(f"{key}: found {type(value).__name__}, expected a list of objects")
    return value
