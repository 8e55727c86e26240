"""`kubeless function deploy`: create a Function, or make an existing one what the flags say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from kubeless_cli.apply import apply
from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.errors import Problem
from kubeless_cli.flags import Wish, function_flags, function_name
from kubeless_cli.inputs import check_size, read_dependencies, read_source, say
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.manifest import build
from kubeless_cli.output import dump
from kubeless_cli.schedule import is_apart, settle
from kubeless_cli.stdout import emit
from kubeless_cli.submitted import deployed


@click.command(short_help="Create a function, or replace it.")
@function_name()
@function_flags
@cluster_options
def deploy(
    name: str, dryrun: bool, output: str, wait: bool, wait_timeout: int, **options: Any
) -> None:
    """Create the function NAME, or make an existing one what these flags say.

    \b
    kubeless function deploy hello --runtime python3.13 --handler hello.handler -f hello.py --wait
    """
    wish = Wish.pick(options)
    if wish.schedule == "":  # as if it were not given: a whole function has none then
        wish = replace(wish, schedule=None)
    _check(wish)
    source, deps = read_source(wish), read_dependencies(wish)
    check_size(source, deps)
    if dryrun:
        emit(dump(build(name, options["namespace"], wish, source, deps), output))
        return
    connection = connect(options)
    apart = is_apart(connection, name, wish.schedule)
    wanted = replace(wish, schedule=None) if apart else wish
    say("Deploying function...")
    manifest = build(name, connection.namespace, wanted, source, deps)
    function = apply(connection, FUNCTION, manifest)
    settle(connection, name, wish.schedule, apart)
    deployed(connection, function, wait, wait_timeout)


def _check(wish: Wish) -> None:
    """What a whole function needs, beyond each flag being right by itself."""
    if not wish.runtime and not wish.runtime_image:
        raise Problem(
            "Either --runtime or --runtime-image must be given; for instance --runtime python3.13."
        )
    if wish.runtime and not wish.handler:
        raise Problem("--handler is missing: expected <module>.<function>, such as hello.handler.")
    if not wish.runtime_image and not wish.from_file:
        raise Problem("--from-file is missing: expected the file that has the function, or a URL.")
    if wish.from_file and not wish.runtime:
        raise Problem(
            "--runtime is missing: --from-file gives source, and a runtime has to run it."
        )
    if wish.runtime_image and wish.from_file:
        say("Note: --runtime-image brings the function with it; --from-file is not mounted.")
