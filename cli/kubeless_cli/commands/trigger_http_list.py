"""`kubeless trigger http list`: the original's table, and how each trigger is doing."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection
from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_cli.listing import Selection, listing_flags, show
from kubeless_cli.status import ready_word, standing, url
from kubeless_cli.trigger import function_of

Object = dict[str, Any]

COLUMNS = ["NAME", "NAMESPACE", "FUNCTION NAME", "URL", "READY", "REASON"]
WIDE_COLUMNS = [*COLUMNS, "HOST", "PATH", "VIA", "MESSAGE"]


@click.command("list", short_help="List HTTP triggers.")
@listing_flags
def list_http(**options: Any) -> None:
    """List the HTTP triggers of a namespace, or those named."""
    show(HTTP_TRIGGER, options, WIDE_COLUMNS if options["out"] == "wide" else COLUMNS, _rows)


def _rows(connection: Connection, selection: Selection, found: list[Object]) -> list[list[str]]:
    return [row(trigger, wide=selection.out == "wide") for trigger in found]


def row(trigger: Object, *, wide: bool) -> list[str]:
    """One trigger's cells."""
    metadata, spec, state = trigger["metadata"], trigger.get("spec") or {}, standing(trigger)
    cells = [
        metadata["name"],
        metadata["namespace"],
        function_of(trigger),
        url(trigger),
        ready_word(trigger),
        state.reason,
    ]
    if wide:
        cells += [
            spec.get("host-name") or "*",
            "/" + str(spec.get("path") or "").strip("/"),
            way(spec),
            state.message,
        ]
    return cells


def way(spec: Object) -> str:
    """Through what calls come: Gateways, an Ingress class, or "" where the installation decides."""
    parents = spec.get("parentRefs") or []
    if parents:
        return "\n".join(parent_name(parent) for parent in parents)
    return str(spec.get("ingressClassName") or spec.get("gateway") or "")


def parent_name(parent: Object) -> str:
    """A parentRef as --parent-ref takes it."""
    name = "/".join(str(parent[key]) for key in ("namespace", "name") if parent.get(key))
    return f"{name}:{parent['sectionName']}" if parent.get("sectionName") else name
