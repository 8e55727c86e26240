"""Which objects `list` shows, and how it shows them when not as a table: the same for every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.errors import Problem
from kubeless_cli.flags import Given
from kubeless_cli.kinds import Kind
from kubeless_cli.output import dump, tidy
from kubeless_cli.stdout import emit
from kubeless_cli.table import render

Object = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Selection(Given):
    """What the flags of a `list` ask for."""

    names: tuple[str, ...]
    all_namespaces: bool
    selector: str
    out: str | None


def listing_flags(command: Command) -> Command:
    """The arguments and flags of every `list`; their values make a Selection."""
    for option in (
        cluster_options,
        click.option(
            "-o", "--out", type=click.Choice(["wide", "yaml", "json"]), help="Output format."
        ),
        click.option(
            "-l", "--selector", default="", help="Only those with these labels (k=v,...)."
        ),
        click.option("-A", "--all-namespaces", is_flag=True, help="Those of every namespace."),
        click.argument("names", metavar="[NAME]...", nargs=-1),
    ):
        command = option(command)
    return command


def show(
    kind: Kind,
    options: dict[str, Any],
    columns: list[str],
    rows: Callable[[Connection, Selection, list[Object]], list[list[str]]],
) -> None:
    """Print what the options select: the objects themselves, or `rows` under these columns.

    Raises Problem for flags that exclude each other, Failure for a name that does not exist.
    """
    selection = Selection.pick(options)
    if selection.names and selection.all_namespaces:
        raise Problem("--all-namespaces and names exclude each other: a name needs one namespace.")
    if selection.names and selection.selector:
        raise Problem("--selector and names exclude each other.")
    connection = connect(options)
    found = read(connection, kind, selection)
    if selection.out in ("yaml", "json"):
        emit(dump(_document(found, selection.names), selection.out))
        return
    if not found:
        where = "" if selection.all_namespaces else f" in namespace '{connection.namespace}'"
        click.echo(f"No {kind.noun}s found{where}.", err=True)
    emit(render([columns, *rows(connection, selection, found)]))


def read(connection: Connection, kind: Kind, selection: Selection) -> list[Object]:
    """The selected objects."""
    if selection.names:
        return [connection.read(kind, name) for name in selection.names]
    namespace = None if selection.all_namespaces else connection.namespace
    listed = connection.client.list(kind.resource, namespace, labels=selection.selector, limit=500)
    # Items of a list may lack what every object has.
    typed = {"apiVersion": kind.resource.api_version, "kind": kind.kind}
    return [typed | item for item in listed["items"]]


def _document(found: list[Object], names: tuple[str, ...]) -> Object:
    """One object when one was asked for by name, else a List that kubectl can apply."""
    if len(names) == 1:
        return tidy(found[0])
    return {"apiVersion": "v1", "kind": "List", "items": [tidy(obj) for obj in found]}
