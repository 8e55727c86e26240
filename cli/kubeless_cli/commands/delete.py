"""`kubeless function delete`: the function and, through it, everything that was made for it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import cluster_options, connect, functions
from kubeless_cli.errors import Failure
from kubeless_cli.flags import duration
from kubeless_cli.inputs import say
from kubeless_cli.wait import until_gone


@click.command(short_help="Delete functions.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--ignore-not-found", is_flag=True, help="A missing function is no error.")
@click.option("--wait", is_flag=True, help="Wait until it and its pods are gone.")
@click.option(
    "--wait-timeout",
    default="5m",
    show_default=True,
    metavar="DURATION",
    callback=duration,
    help="How long --wait waits.",
)
@cluster_options
def delete(
    names: tuple[str, ...], ignore_not_found: bool, wait: bool, wait_timeout: int, **options: Any
) -> None:
    """Delete the functions NAME..., with their pods and Services. Their triggers stay."""
    from kubeless_kube.errors import NotFound

    connection = connect(options)
    deleted, missing = [], []
    for name in dict.fromkeys(names):
        try:
            function = connection.client.get(functions(), connection.namespace, name)
            connection.client.delete(
                functions(),
                connection.namespace,
                name,
                # In the foreground the function goes last, so waiting for it is waiting for all.
                propagation="Foreground" if wait else "Background",
                uid=function["metadata"]["uid"],
            )
        except NotFound as error:
            if not error.details.get("name"):
                raise
            missing.append(name)
        else:
            deleted.append(function)
    for function in deleted:
        name = function["metadata"]["name"]
        if wait and not until_gone(connection, function, wait_timeout):
            raise Failure(
                f"Function {name} is being deleted, but is still there after {wait_timeout} s.\n"
                f"Its finalizers say why: 'kubeless function describe {name} -o yaml'."
            )
        say(f"Function {name} deleted")
    if missing and not ignore_not_found:
        if len(missing) == 1:
            raise connection.unknown(missing[0])
        raise Failure(
            f"There are no functions {', '.join(missing)} in namespace '{connection.namespace}'.\n"
            f"'kubeless function list -n {connection.namespace}' shows those there are."
        )
