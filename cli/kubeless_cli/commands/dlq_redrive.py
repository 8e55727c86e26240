"""`kubeless trigger kafka dlq redrive`: dead letters go where they came from, or elsewhere."""

from __future__ import annotations

import time
from typing import Any

import click

from kubeless_cli.dead_letters import place
from kubeless_cli.dlq_commands import letters_of, trigger_options
from kubeless_cli.errors import Problem
from kubeless_cli.inputs import say
from kubeless_cli.kafka_flags import topic
from kubeless_cli.kafka_frames import Body
from kubeless_cli.kafka_session import ask
from kubeless_cli.quantity import parse_duration
from kubeless_cli.readers import read
from kubeless_cli.stdout import write

Object = dict[str, Any]


def _places(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[int, int]]:
    try:
        return [place(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(short_help="Send dead letters again.")
@trigger_options
@click.argument("records", metavar="[PARTITION/OFFSET]...", nargs=-1, callback=_places)
@click.option(
    "--to",
    metavar="TOPIC",
    callback=read(topic),
    help="Where to. [default: the topic that each came from]",
)
@click.option("--error", metavar="TEXT", help="Only those whose status or error has this in it.")
@click.option(
    "--since",
    metavar="DURATION",
    callback=read(parse_duration),
    help="Only those of this last time, such as 2h.",
)
@click.option(
    "--from-beginning", is_flag=True, help="Also those that were sent again before, once more."
)
@click.option(
    "--dryrun", "--dry-run", "dryrun", is_flag=True, help="Only print what would be sent."
)
def redrive(
    records: list[tuple[int, int]],
    *,
    to: str | None,
    error: str | None,
    since: int | None,
    from_beginning: bool,
    dryrun: bool,
    **options: Any,
) -> None:
    """Send the dead letters of the Kafka trigger TRIGGER again: those named, or all there are.

    They keep key, value and headers. What was sent is kept in Kafka: the same command again sends
    only what came after it.

    \b
    kubeless trigger kafka dlq redrive orders --dry-run
    kubeless trigger kafka dlq redrive orders 0/42 1/7
    """
    if records and (error or since is not None):
        raise Problem("Records that are named, and --error or --since, exclude each other.")
    connection, letters = letters_of(options)
    arguments = {
        **letters.arguments,
        "records": [list(record) for record in records],
        "to": to or "",
        "error": error or "",
        "since": int((time.time() - since) * 1000) if since is not None else 0,
        "fromBeginning": from_beginning,
        "dryRun": dryrun,
    }

    def hear(head: Object, bodies: list[Body]) -> None:
        if head.get("type") == "item":
            write(f"{head['partition']}/{head['offset']} -> {head['to']}\n".encode())

    result = ask(connection, letters.target, "dlq.redrive", arguments, hear=hear)
    say(summary(result, letters.topic))


def summary(result: Object, dead_letter_topic: str) -> str:
    """One sentence: how many went where."""
    sent, skipped = result["sent"], result["skipped"]
    verb = "would be sent again" if result["dryRun"] else "sent again"
    where = ", ".join(f"{count} to {name}" for name, count in sorted(result["targets"].items()))
    before = f"; {skipped} had been before" if skipped else ""
    if not sent:
        return f"No dead letter of topic {dead_letter_topic} {verb}{before}"
    return f"{sent} dead letter{'' if sent == 1 else 's'} {verb}: {where}{before}"
