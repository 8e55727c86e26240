"""What a Function's status says, in words: pure.

A condition counts only for the generation it speaks of; until the controller has seen the newest
one, the function is waiting, whatever an older condition says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubeless_api.conditions import ACCEPTED, AVAILABLE, READY, is_waiting

Object = dict[str, Any]


class Phase(Enum):
    """How a function stands for somebody who waits for it."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """A phase and the condition that says so."""

    phase: Phase
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}" if self.message else self.reason


NOT_SEEN = Standing(Phase.WAITING, "Submitted", "the controller has not looked at it yet")


def standing(function: Object) -> Standing:
    """Where the newest generation of `function` stands."""
    for kind in (ACCEPTED, READY):
        condition = current_condition(function, kind)
        if condition is None:
            continue
        reason, message = condition.get("reason", ""), condition.get("message", "")
        if condition["status"] == "False":
            phase = Phase.WAITING if is_waiting(reason) else Phase.FAILED
            return Standing(phase, reason, message)
        if kind == READY and condition["status"] == "True":
            return Standing(Phase.READY, reason, message)
    ready = current_condition(function, READY)
    if ready is not None:
        return Standing(Phase.WAITING, ready.get("reason", ""), ready.get("message", ""))
    return NOT_SEEN


def current_condition(function: Object, kind: str) -> Object | None:
    """The condition of that type, if it speaks of the newest generation."""
    status = function.get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == kind:
            seen = condition.get("observedGeneration", status.get("observedGeneration"))
            newest = (function.get("metadata") or {}).get("generation")
            return condition if seen is None or seen == newest else None
    return None


def ready_word(obj: Object) -> str:
    """`True`, `False`, or `Unknown` while the controller has not looked at the newest generation."""
    state = standing(obj)
    if state == NOT_SEEN:
        return "Unknown"
    return str(state.phase is Phase.READY)


def serves(function: Object) -> bool:
    """Whether some version of it serves."""
    available = current_condition(function, AVAILABLE)
    return available is not None and available["status"] == "True"


def url(function: Object) -> str:
    return str((function.get("status") or {}).get("url") or "")


def ready_column(function: Object, deployment: Object | None) -> str:
    """`1/1 READY` or `0/1 NOT READY`: pods that serve, of those that exist or are wanted.

    The Deployment knows best; without one (not made yet, or not readable) the Function's own
    status and spec answer.
    """
    if deployment is not None:
        counts = deployment.get("status") or {}
        ready, total = counts.get("readyReplicas") or 0, counts.get("replicas") or 0
        wanted = (deployment.get("spec") or {}).get("replicas", 1)
    else:
        total = (function.get("status") or {}).get("replicas") or 0
        wanted = (function.get("spec") or {}).get("replicas", 1)
        ready = total if standing(function).phase is Phase.READY else 0
    word = "READY" if ready > 0 else "NOT READY"
    return f"{ready}/{total or wanted} {word}"
