"""`kubeless trigger cronjob list`: the original's table, and how each trigger is doing."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection
from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_cli.listing import Selection, listing_flags, show
from kubeless_cli.status import ready_word, standing
from kubeless_cli.trigger import function_of

Object = dict[str, Any]

COLUMNS = [
    *("NAME", "NAMESPACE", "SCHEDULE", "FUNCTION NAME"),
    *("LAST FIRING", "RESULT", "NEXT", "READY"),
]
WIDE_COLUMNS = [*COLUMNS, "REASON", "TIME ZONE", "MESSAGE"]


@click.command("list", short_help="List cronjob triggers.")
@listing_flags
def list_cronjob(**options: Any) -> None:
    """List the cronjob triggers of a namespace, or those named."""
    show(CRONJOB_TRIGGER, options, WIDE_COLUMNS if options["out"] == "wide" else COLUMNS, _rows)


def _rows(connection: Connection, selection: Selection, found: list[Object]) -> list[list[str]]:
    return [row(trigger, wide=selection.out == "wide") for trigger in found]


def row(trigger: Object, *, wide: bool) -> list[str]:
    """One trigger's cells."""
    metadata, spec = trigger["metadata"], trigger.get("spec") or {}
    status, state = trigger.get("status") or {}, standing(trigger)
    cells = [
        metadata["name"],
        metadata["namespace"],
        spec.get("schedule") or "",
        function_of(trigger),
        *(status.get(key) or "" for key in ("lastFiringTime", "lastResult", "nextFiringTime")),
        ready_word(trigger),
    ]
    if wide:
        cells += [
            state.reason,
            spec.get("timeZone") or "",
            # Why the last call failed says more than that there will be another one.
            status.get("lastMessage") or state.message,
        ]
    return cells
