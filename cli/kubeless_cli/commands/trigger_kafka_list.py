"""`kubeless trigger kafka list`: the original's table, and how each trigger is doing."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import selector
from kubeless_cli.connection import Connection
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.listing import Selection, listing_flags, show
from kubeless_cli.status import ready_word, standing

Object = dict[str, Any]

COLUMNS = [
    *("NAME", "NAMESPACE", "TOPIC", "FUNCTION SELECTOR"),
    *("FUNCTIONS", "LAG", "READY", "REASON"),
]
WIDE_COLUMNS = [*COLUMNS, "PARTITIONS", "CONSUMERS", "DEAD LETTERS", "MESSAGE"]


@click.command("list", short_help="List Kafka triggers.")
@listing_flags
def list_kafka(**options: Any) -> None:
    """List the Kafka triggers of a namespace, or those named."""
    show(KAFKA_TRIGGER, options, WIDE_COLUMNS if options["out"] == "wide" else COLUMNS, _rows)


def _rows(connection: Connection, selection: Selection, found: list[Object]) -> list[list[str]]:
    return [row(trigger, wide=selection.out == "wide") for trigger in found]


def row(trigger: Object, *, wide: bool) -> list[str]:
    """One trigger's cells."""
    metadata, spec = trigger["metadata"], trigger.get("spec") or {}
    status, state = trigger.get("status") or {}, standing(trigger)
    cells = [
        metadata["name"],
        metadata["namespace"],
        spec.get("topic") or "",
        selector.show(spec),
        ",".join(status.get("functions") or []),
        number(status, "lag"),
        ready_word(trigger),
        state.reason,
    ]
    if wide:
        cells += [
            assigned(status),
            number(status, "replicas"),
            status.get("deadLetterTopic") or spec.get("deadLetterTopic") or "",
            state.message,
        ]
    return cells


def number(status: Object, key: str) -> str:
    """A number of the status; "" before there is one."""
    return "" if status.get(key) is None else str(status[key])


def assigned(status: Object) -> str:
    """`<assigned>/<all>` partitions."""
    if status.get("partitions") is None:
        return ""
    return f"{status.get('assignedPartitions', 0)}/{status['partitions']}"
