"""`kubeless topic delete`: topics and all their records."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.errors import Failure
from kubeless_cli.inputs import say
from kubeless_cli.kafka_commands import installation, kafka_options
from kubeless_cli.kafka_session import ask


@click.command(short_help="Delete topics.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--ignore-not-found", is_flag=True, help="What is missing is no error.")
@kafka_options
def delete(names: tuple[str, ...], *, ignore_not_found: bool, **options: Any) -> None:
    """Delete the topics NAME... and every record in them."""
    connection, target, _ = installation(options)
    wanted = list(dict.fromkeys(names))
    result = ask(connection, target, "topic.delete", {"names": wanted})
    for name in result["deleted"]:
        say(f"Topic {name} deleted")
    missing = result["missing"]
    if missing and not ignore_not_found:
        what = (
            f"is no topic '{missing[0]}'"
            if len(missing) == 1
            else f"are no topics {', '.join(missing)}"
        )
        raise Failure(f"There {what}.\n'kubeless topic list' shows those there are.")
