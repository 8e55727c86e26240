"""`kubeless autoscale delete`: take the autoscaler out of the Function; the controller removes it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import autoscaler
from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.edit import edit
from kubeless_cli.errors import Failure
from kubeless_cli.flags import function_name
from kubeless_cli.inputs import say
from kubeless_cli.kinds import FUNCTION

Object = dict[str, Any]


@click.command(short_help="Take a function's autoscaler away.")
@function_name()
@cluster_options
def delete(name: str, **options: Any) -> None:
    """Take the autoscaler of the function NAME away. The function stays."""
    connection = connect(options)

    def change(function: Object) -> Object:
        # One without a target does nothing, yet somebody wrote it: it can be taken out too.
        if not autoscaler.name_of(autoscaler.given(function)):
            raise Failure(
                f"Function {name} in namespace '{connection.namespace}' has no autoscaler.\n"
                f"'kubeless autoscale list -n {connection.namespace}' shows those that have one."
            )
        return autoscaler.take_out(function)

    edit(connection, FUNCTION, name, change)
    say(f"Autoscaler of function {name} deleted")
