"""`kubeless trigger kafka dlq show`: one dead letter with its value and headers."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.dead_letters import as_object, origin, place, text_of, time_of
from kubeless_cli.dlq_commands import letters_of, trigger_options
from kubeless_cli.kafka_commands import OUT
from kubeless_cli.kafka_frames import Body
from kubeless_cli.kafka_session import ask
from kubeless_cli.output import dump
from kubeless_cli.readers import read
from kubeless_cli.stdout import emit, write
from kubeless_cli.table import plain, render

Object = dict[str, Any]

_WIDTH = 100


@click.command(short_help="Show one dead letter in full.")
@trigger_options
@click.argument("record", metavar="PARTITION/OFFSET", callback=read(place))
@click.option("--value", is_flag=True, help="Only the value, byte for byte.")
@OUT
def show(record: tuple[int, int], value: bool, out: str | None, **options: Any) -> None:
    """Show one record that the Kafka trigger TRIGGER could not process, as 'dlq list' names it.

    \b
    kubeless trigger kafka dlq show orders 0/42 --value > record.json
    """
    found: list[tuple[Object, list[Body]]] = []
    connection, letters = letters_of(options)
    partition, offset = record
    ask(
        connection,
        letters.target,
        "dlq.show",
        letters.arguments | {"partition": partition, "offset": offset},
        hear=lambda head, bodies: found.append((head, bodies)),
    )
    head, bodies = found[0]
    if value:
        write(bodies[1] or b"")
    elif out:
        emit(dump(as_object(head, bodies), out))
    else:
        emit(page(head, bodies))


def page(record: Object, bodies: list[Body]) -> str:
    """The human page: where it is and why, its headers, its value."""
    letter = record["deadLetter"]
    rows = [
        ("Record:", f"{record['partition']}/{record['offset']}"),
        ("Time:", time_of(record["timestamp"])),
        ("From:", origin(letter)),
        ("Trigger:", letter.get("trigger", "")),
        ("Function:", letter.get("function", "")),
        ("Attempts:", letter.get("attempts", "")),
        ("Status:", letter.get("status", "")),
        ("Error:", letter.get("error", "")),
        ("Sent again:", "yes" if record["sent"] else "no"),
        ("Key:", text_of(bodies[0])),
    ]
    headers = [
        (f"  {name}:", text_of(body))
        for name, body in zip(record["headers"], bodies[2:], strict=True)
        if not name.startswith("kubeless-dlq-")
    ]
    parts = [render([row for row in rows if row[1]], _WIDTH)]
    if headers:
        parts.append("Headers:\n" + render(headers, _WIDTH))
    parts.append(f"Value ({record['size']} bytes):\n{plain(text_of(bodies[1]))}")
    return "\n\n".join(parts)
