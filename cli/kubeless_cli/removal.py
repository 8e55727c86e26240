"""Deleting objects by name: what `delete` does for every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubeless_cli.connection import Connection, cluster_options
from kubeless_cli.errors import Failure
from kubeless_cli.flags import WAIT_TIMEOUT
from kubeless_cli.inputs import say
from kubeless_cli.kinds import Kind
from kubeless_cli.wait import until_gone

Object = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


def removal_flags(command: Command) -> Command:
    """The arguments and flags of every `delete`."""
    for option in (
        cluster_options,
        WAIT_TIMEOUT,
        click.option("--wait", is_flag=True, help="Wait until it and what it made are gone."),
        click.option("--ignore-not-found", is_flag=True, help="What is missing is no error."),
        click.argument("names", metavar="NAME...", nargs=-1, required=True),
    ):
        command = option(command)
    return command


def remove(
    connection: Connection,
    kind: Kind,
    names: tuple[str, ...],
    *,
    ignore_not_found: bool,
    wait: bool,
    limit: int,
    check: Callable[[Object], None] = lambda obj: None,
) -> None:
    """Delete the objects of these names; `check` may refuse one by raising Failure.

    Raises Failure when some do not exist, after those that do are deleted, and when one is still
    there after `limit` seconds of waiting.
    """
    from kubeless_kube.errors import NotFound

    found = {name: connection.find(kind, name) for name in dict.fromkeys(names)}
    deleted = []
    for name, obj in found.items():
        if obj is None:
            continue
        check(obj)
        try:
            connection.client.delete(
                kind.resource,
                connection.namespace,
                name,
                # In the foreground the object goes last, so waiting for it is waiting for all.
                propagation="Foreground" if wait else "Background",
                uid=obj["metadata"]["uid"],
            )
        except NotFound:
            continue
        deleted.append(obj)
    for obj in deleted:
        name = obj["metadata"]["name"]
        if wait and not until_gone(connection, kind, obj, limit):
            raise Failure(
                f"{kind.title} {name} is being deleted, but is still there after {limit} s.\n"
                f"Its finalizers say why: 'kubeless {kind.command} describe {name} -o yaml'."
            )
        say(f"{kind.title} {name} deleted")
    missing = [name for name, obj in found.items() if obj is None]
    if missing and not ignore_not_found:
        if len(missing) == 1:
            raise connection.unknown(kind, missing[0])
        raise Failure(
            f"There are no {kind.noun}s {', '.join(missing)} in namespace "
            f"'{connection.namespace}'.\n"
            f"'kubeless {kind.command} list -n {connection.namespace}' shows those there are."
        )
