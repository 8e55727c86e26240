"""Showing one object: what `describe` does for every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.flags import object_name
from kubeless_cli.kinds import Kind
from kubeless_cli.output import dump, tidy
from kubeless_cli.stdout import emit

Object = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


def description_flags(command: Command) -> Command:
    """The argument and flags of every `describe`."""
    for option in (
        cluster_options,
        click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format."),
        object_name(),
    ):
        command = option(command)
    return command


def describe(kind: Kind, options: dict[str, Any], page: Callable[[Object], str]) -> None:
    """Print the object that the options name: itself with -o, else its `page`. Raises Failure."""
    obj = connect(options).read(kind, options["name"])
    out = options["out"]
    emit(dump(tidy(obj), out) if out else page(obj))
