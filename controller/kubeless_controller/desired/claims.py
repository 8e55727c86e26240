"""Which of several HTTPTriggers has a host and path: the one that was made first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubeless_api.http_trigger import HTTPTrigger
from kubeless_controller.desired.routes import Place, places
from kubeless_controller.settings import HTTP


@dataclass(frozen=True)
class Claim:
    """One trigger's wish for a host and path in some places."""

    created: str
    namespace: str
    name: str
    host: str
    path: str
    places: frozenset[Place]


def claim(trigger: HTTPTrigger, settings: HTTP) -> Claim:
    """What a trigger wishes for."""
    return Claim(
        trigger.created,
        trigger.namespace,
        trigger.name,
        trigger.host,
        trigger.path,
        places(trigger, settings),
    )


def holder(own: Claim, others: Iterable[Claim]) -> Claim | None:
    """The claim that stands in the way of ``own``; None when it has what it wishes for.

    Paths are compared as gateways do, by whole segments: '/a' and '/a/b' do not stand in each other's way.
    """
    for other in sorted(others, key=_rank):
        if _rank(other) < _rank(own) and _same(own, other):
            return other
    return None


def _rank(one: Claim) -> tuple[str, str, str]:
    return one.created, one.namespace, one.name


def _same(one: Claim, other: Claim) -> bool:
    return (
        one.host == other.host
        and one.path == other.path
        and any(_overlap(here, there) for here in one.places for there in other.places)
    )


def _overlap(one: Place, other: Place) -> bool:
    if len(one) != len(other) or one[:3] != other[:3]:
        return False
    # A trigger that names no section or port attaches to all of a Gateway's.
    return all(a == b or not a or not b for a, b in zip(one[3:], other[3:], strict=True))
