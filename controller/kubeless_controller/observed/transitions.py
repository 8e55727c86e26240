"""What of a new status is news: the events that tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kubeless_api import conditions
from kubeless_controller.observed.verdict import Verdict

Condition = Mapping[str, Any]

# What the owner asks for is no trouble.
_WISHED = (conditions.SCALED_TO_ZERO, conditions.SUSPENDED, conditions.PAUSED)


@dataclass(frozen=True)
class News:
    """One event: ``kind`` and ``reason`` as Kubernetes' events have them."""

    kind: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(
    verdicts: Mapping[str, Verdict], previous: Sequence[Condition], alias: str
) -> list[News]:
    """The events for verdicts that differ in status or reason from the previous conditions.

    Progress is no news, nor is a reason that another condition has told already, nor that no pod or gateway
    serves where none has served before. ``alias`` says which runtime runs a Function that asks for an older
    one; it is told once.
    """
    before = {condition.get("type"): condition for condition in previous}
    news: list[News] = []
    for kind, verdict in verdicts.items():
        known = before.get(kind)
        if known is not None and _same(verdict, known):
            continue
        served = known is not None and known.get("status") == "True"
        if verdict.reason in (conditions.PROGRESSING, conditions.NOT_ACCEPTED):
            continue
        if verdict.reason in (conditions.NO_PODS_READY, conditions.PENDING) and not served:
            continue
        if verdict.ok:
            if kind == conditions.READY:
                news.append(News("Normal", conditions.READY, verdict.message))
            continue
        normal = verdict.reason in _WISHED
        item = News("Normal" if normal else "Warning", verdict.reason, verdict.message)
        if item not in news:
            news.append(item)
    accepted = verdicts[conditions.ACCEPTED]
    told = str((before.get(conditions.ACCEPTED) or {}).get("message", ""))
    if alias and accepted.ok and alias not in told:
        news.append(News("Normal", conditions.RUNTIME_ALIAS, alias))
    return news


def _same(verdict: Verdict, known: Condition) -> bool:
    status = "True" if verdict.ok else "False"
    return known.get("status") == status and known.get("reason") == verdict.reason
