"""`kubeless trigger kafka dlq list`: the dead letters of a trigger, newest last."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.dead_letters import COLUMNS, WIDE_COLUMNS, as_object, row
from kubeless_cli.dlq_commands import letters_of, trigger_options
from kubeless_cli.errors import Problem
from kubeless_cli.inputs import say
from kubeless_cli.kafka_commands import WIDE_OUT
from kubeless_cli.kafka_frames import Body
from kubeless_cli.kafka_session import ask
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit
from kubeless_cli.table import render

Object = dict[str, Any]


@click.command("list", short_help="List dead letters.")
@trigger_options
@click.option(
    "--limit",
    type=click.IntRange(0, 10_000),
    default=20,
    show_default=True,
    help="At most so many; 0 only counts.",
)
@click.option("--partition", type=click.IntRange(0), help="Only those of one partition.")
@click.option(
    "--offset", type=click.IntRange(0), help="With --partition: from this one on, page by page."
)
@WIDE_OUT
def list_dead_letters(
    limit: int, partition: int | None, offset: int | None, out: str | None, **options: Any
) -> None:
    """List the newest records that the Kafka trigger TRIGGER could not process."""
    if offset is not None and partition is None:
        raise Problem("--offset needs --partition: offsets count within one.")
    found: list[tuple[Object, list[Body]]] = []
    connection, letters = letters_of(options)
    counts = ask(
        connection,
        letters.target,
        "dlq.list",
        letters.arguments | {"limit": limit, "partition": partition, "offset": offset},
        hear=lambda head, bodies: found.append((head, bodies)),
    )
    if out in ("yaml", "json"):
        records = [as_object(record, bodies) for record, bodies in found]
        emit(dump({**counts, "records": records}, out))
        return
    total = sum(part["records"] for part in counts["partitions"])
    say(f"{total} dead letter{'' if total == 1 else 's'} in topic {counts['topic']}")
    wide = out == "wide"
    rows = [row(record, bodies[0], wide=wide) for record, bodies in found]
    emit(render([WIDE_COLUMNS if wide else COLUMNS, *rows]))
