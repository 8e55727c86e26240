"""What `create`, `update` and `describe` do with triggers of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kubeless_cli.apply import apply
from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.edit import edit
from kubeless_cli.errors import Failure, Problem
from kubeless_cli.flags import (
    DRYRUN,
    OUTPUT,
    WAIT,
    WAIT_TIMEOUT,
    Given,
    annotation,
    label_flag,
    object_name,
    pairs,
)
from kubeless_cli.inputs import say
from kubeless_cli.kinds import FUNCTION, Kind
from kubeless_cli.output import dump, portable
from kubeless_cli.stdout import emit
from kubeless_cli.submitted import finish
from kubeless_cli.trigger import empty, function_of

Object = dict[str, Any]
Change = Callable[[Object], Object]
Command = TypeVar("Command", bound=Callable[..., Any])

_FLAGS: tuple[Callable[[Any], Any], ...] = (
    label_flag("Labels of the trigger; those of an HTTP trigger go on to its route."),
    click.option(
        "--annotation",
        multiple=True,
        metavar="KEY=VALUE,...",
        callback=pairs(annotation),
        help="Annotations of the trigger; those of an HTTP trigger go on to its route. A value with a comma "
        """is written '"KEY=a,b"'.""",
    ),
    DRYRUN,
    OUTPUT,
    WAIT,
    WAIT_TIMEOUT,
    cluster_options,
)


def trigger_flags(*flags: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Add NAME, the flags of one kind of trigger, and those that all kinds have."""

    def add(command: Command) -> Command:
        for option in reversed((object_name(), *flags, *_FLAGS)):
            command = option(command)
        return command

    return add


@dataclass(frozen=True)
class Orders(Given):
    """What to do with what the other flags ask for."""

    dryrun: bool
    output: str
    wait: bool
    wait_timeout: int


def create(
    kind: Kind,
    name: str,
    change: Change,
    options: dict[str, Any],
    check: Callable[[Object], None] = lambda present: None,
) -> None:
    """Make the trigger what `change` makes of an empty one, whether it exists or not.

    `change` raises ValueError for flags that do not go together, `check` Failure for a trigger that
    must stay as it is.
    """
    orders = Orders.pick(options)
    manifest = _flags_alone(kind, name, change, options)
    if orders.dryrun:
        emit(dump(manifest, orders.output))
        return
    connection = connect(options)
    manifest["metadata"]["namespace"] = connection.namespace
    present = connection.find(kind, name)
    if present is not None:
        check(present)
    _submitted(connection, kind, apply(connection, kind, manifest), orders)


def update(kind: Kind, name: str, change: Change, options: dict[str, Any]) -> None:
    """Make the existing trigger what `change` makes of it.

    `change` raises ValueError for what does not go together, Failure for what must stay.
    """
    orders = Orders.pick(options)
    _flags_alone(kind, name, change, options)
    connection = connect(options)

    def checked_change(present: Object) -> Object:
        try:
            return change(present)
        except ValueError as error:
            raise Failure(str(error)) from None

    if orders.dryrun:
        emit(dump(portable(checked_change(connection.read(kind, name))), orders.output))
        return
    _submitted(connection, kind, edit(connection, kind, name, checked_change), orders)


def _flags_alone(kind: Kind, name: str, change: Change, options: dict[str, Any]) -> Object:
    """What the flags ask for, before any cluster is asked. Raises Problem."""
    try:
        return change(empty(kind, name, options["namespace"]))
    except ValueError as error:
        raise Problem(str(error)) from None


def _submitted(connection: Connection, kind: Kind, trigger: Object, orders: Orders) -> None:
    name = trigger["metadata"]["name"]
    say(f"{kind.title} {name} submitted")
    _note_a_missing_function(connection, function_of(trigger))
    if orders.wait:
        finish(connection, kind, trigger, orders.wait_timeout)
        return
    where = f" -n {connection.namespace}" if connection.namespace != "default" else ""
    say(f"'kubeless {kind.command} describe {name}{where}' tells how it is doing")


def _note_a_missing_function(connection: Connection, function: str) -> None:
    """A trigger may come before its function; a name that is wrong looks the same."""
    from kubeless_kube.errors import Forbidden

    try:
        missing = function and connection.find(FUNCTION, function) is None
    except Forbidden:
        return
    if missing:
        unknown = connection.unknown(FUNCTION, function).message
        say(f"Note: {unknown}\nThe trigger waits until there is one.")
