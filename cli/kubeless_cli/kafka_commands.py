"""What the commands about the installation's Kafka have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubeless_cli.connection import Connection, connect, context_options
from kubeless_cli.flags import checked
from kubeless_cli.kafka_pod import Target
from kubeless_cli.kafka_target import installed
from kubeless_cli.names import check_namespace

Object = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])

OUT = click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format.")
WIDE_OUT = click.option(
    "-o", "--out", type=click.Choice(["wide", "yaml", "json"]), help="Output format."
)


def kafka_options(command: Command) -> Command:
    """Add --kafka-namespace, --kubeconfig and --context; their values are for `installation`."""
    command = context_options(command)
    return click.option(
        "--kafka-namespace",
        default="kubeless",
        show_default=True,
        callback=checked(check_namespace, empty=False),
        help="Namespace of the installation.",
    )(command)


def installation(options: dict[str, Any]) -> tuple[Connection, Target, Object]:
    """The cluster, the installation's Kafka there, and its settings. Raises Failure."""
    connection = connect({**options, "namespace": options["kafka_namespace"]})
    return (connection, *installed(connection))
