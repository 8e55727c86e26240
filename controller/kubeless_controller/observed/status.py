"""Conditions, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubeless_controller.observed.verdict import Verdict

Object = dict[str, Any]

# A condition's message is for a person: more than this is a log.
MAX_MESSAGE = 4096


def conditions(
    verdicts: Mapping[str, Verdict],
    previous: Sequence[Mapping[str, Any]],
    generation: int,
    now: str,
) -> list[Object]:
    """The conditions for these verdicts, by type.

    ``lastTransitionTime`` is ``now`` where the status differs from that of
    ``previous``, and what it was where it does not.
    """
    before = {condition.get("type"): condition for condition in previous}
    result: list[Object] = []
    for kind, verdict in verdicts.items():
        status = "True" if verdict.ok else "False"
        known = before.get(kind)
        unchanged = known is not None and known.get("status") == status
        result.append(
            {
                "type": kind,
                "status": status,
                "reason": verdict.reason,
                "message": cut(verdict.message),
                "observedGeneration": generation,
                "lastTransitionTime": known["lastTransitionTime"] if known and unchanged else now,
            }
        )
    return result


def differs(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Say whether a merge patch of ``wanted`` would change the live status."""
    return any(live.get(key) != value for key, value in wanted.items())


def cut(message: str) -> str:
    """The message, without its middle when it is too long: what failed stands first, why stands last."""
    if len(message) <= MAX_MESSAGE:
        return message
    half = MAX_MESSAGE // 2 - 8
    return f"{message[:half]}\n[...]\n{message[-half:]}"
