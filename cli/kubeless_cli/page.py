"""One object on one page, as `describe` shows it: its fields, then its conditions; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubeless_cli.fields import LAST_APPLIED
from kubeless_cli.kinds import Kind
from kubeless_cli.table import render

Object = dict[str, Any]

WIDTH = 100


def render_page(kind: Kind, obj: Object, rows: Sequence[tuple[str, str]]) -> str:
    """The rows that have a value, between what every object has and its conditions."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    every = [
        ("Name:", metadata["name"]),
        ("Namespace:", metadata["namespace"]),
        *rows,
        (
            "Generation:",
            f"{metadata.get('generation')} (seen: {status.get('observedGeneration', 'none')})",
        ),
        ("Created:", metadata.get("creationTimestamp") or ""),
    ]
    fields = render([(label, value) for label, value in every if value], max_width=WIDTH)
    return f"{fields}\n\nConditions:\n{_conditions(kind, status)}"


def pairs(mapping: dict[str, str] | None) -> str:
    """Labels or annotations, one a line; not the copy of the whole object that kubectl keeps."""
    shown = {key: value for key, value in (mapping or {}).items() if key != LAST_APPLIED}
    return "\n".join(f"{key}={value}" for key, value in shown.items())


def _conditions(kind: Kind, status: Object) -> str:
    conditions = status.get("conditions") or []
    if not conditions:
        return f"  none: the controller has not looked at this {kind.noun} yet"
    rows = [["  TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"]]
    for condition in conditions:
        rows.append(
            [
                f"  {condition.get('type', '')}",
                str(condition.get("status", "")),
                str(condition.get("reason", "")),
                str(condition.get("lastTransitionTime", "")),
                str(condition.get("message", "")),
            ]
        )
    return render(rows, max_width=WIDTH)
