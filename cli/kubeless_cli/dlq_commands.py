"""What the commands about a trigger's dead letters have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubeless_cli import names
from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.flags import checked
from kubeless_cli.kafka_target import Letters, dead_letters
from kubeless_cli.kinds import KAFKA_TRIGGER

Command = TypeVar("Command", bound=Callable[..., Any])


def trigger_options(command: Command) -> Command:
    """Add TRIGGER and the cluster's options; their values are for `letters_of`."""
    return click.argument(
        "trigger", metavar="TRIGGER", callback=checked(names.check_object_name, empty=False)
    )(cluster_options(command))


def letters_of(options: dict[str, Any]) -> tuple[Connection, Letters]:
    """The cluster, and the dead letters of the trigger that the options name. Raises Failure."""
    connection = connect(options)
    return connection, dead_letters(connection, connection.read(KAFKA_TRIGGER, options["trigger"]))
