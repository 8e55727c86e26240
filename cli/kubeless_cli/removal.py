"""Deleting objects by name: what `delete` does for every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.errors import Failure
from kubeless_cli.flags import WAIT_TIMEOUT, Given
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


@dataclass(frozen=True)
class Removal(Given):
    """What the flags of a `delete` ask for."""

    names: tuple[str, ...]
    ignore_not_found: bool
    wait: bool
    wait_timeout: int


def remove(
    kind: Kind,
    options: dict[str, Any],
    check: Callable[[Object], None] = lambda present: None,
) -> None:
    """Delete what the options name, unless `check` refuses one of them by raising Failure.

    Raises Failure when some do not exist, after those that do are deleted, and when one is still
    there after the time to wait.
    """
    from kubeless_kube.errors import NotFound

    removal = Removal.pick(options)
    connection = connect(options)
    found = {name: connection.find(kind, name) for name in dict.fromkeys(removal.names)}
    present = {name: obj for name, obj in found.items() if obj is not None}
    for obj in present.values():
        check(obj)
    deleted = []
    for name, obj in present.items():
        try:
            connection.client.delete(
                kind.resource,
                connection.namespace,
                name,
                # In the foreground the object goes last, so waiting for it is waiting for all.
                propagation="Foreground" if removal.wait else "Background",
                uid=obj["metadata"]["uid"],
            )
        except NotFound:
            continue
        deleted.append(obj)
    for obj in deleted:
        name = obj["metadata"]["name"]
        if removal.wait and not until_gone(connection, kind, obj, removal.wait_timeout):
            raise Failure(
                f"{kind.title} {name} is being deleted, but is still there after {removal.wait_timeout} s.\n"
                f"Its finalizers say why: 'kubeless {kind.command} describe {name} -o yaml'."
            )
        say(f"{kind.title} {name} deleted")
    missing = [name for name in found if name not in present]
    if missing and not removal.ignore_not_found:
        if len(missing) == 1:
            raise connection.unknown(kind, missing[0])
        raise Failure(
            f"There are no {kind.noun}s {', '.join(missing)} in namespace "
            f"'{connection.namespace}'.\n"
            f"'kubeless {kind.command} list -n {connection.namespace}' shows those there are."
        )
