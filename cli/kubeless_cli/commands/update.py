"""`kubeless function update`: change what the flags say and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.edit import edit
from kubeless_cli.errors import Problem
from kubeless_cli.flags import Wish, function_flags, function_name
from kubeless_cli.inputs import check_size, read_dependencies, read_source, say
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.manifest import change
from kubeless_cli.output import dump, portable
from kubeless_cli.schedule import is_apart, settle
from kubeless_cli.stdout import emit
from kubeless_cli.submitted import deployed


@click.command(short_help="Change parts of a function.")
@function_name()
@function_flags
@cluster_options
def update(
    name: str, dryrun: bool, output: str, wait: bool, wait_timeout: int, **options: Any
) -> None:
    """Change what these flags say of the function NAME, and leave the rest as it is.

    --label and --secrets add to what is there, --env and --node-selectors replace it; an empty
    value (--env "") removes all of it.
    """
    wish = Wish.pick(options)
    if wish == Wish():
        raise Problem(f"Nothing to change: name at least one flag, such as --from-file {name}.py.")
    source, deps = read_source(wish), read_dependencies(wish)
    check_size(source, deps)
    connection = connect(options)
    apart = is_apart(connection, name, wish.schedule)
    wanted = replace(wish, schedule=None) if apart else wish
    if dryrun:
        changed = change(connection.function(name), wanted, source, deps)
        emit(dump(portable(changed), output))
        return
    say("Redeploying function...")
    changed = edit(
        connection, FUNCTION, name, lambda present: change(present, wanted, source, deps)
    )
    settle(connection, name, wish.schedule, apart)
    deployed(connection, changed, wait, wait_timeout)
