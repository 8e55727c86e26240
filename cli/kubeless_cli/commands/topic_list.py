"""`kubeless topic list`: the names of the topics, one a line as ever."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.kafka_commands import WIDE_OUT, installation, kafka_options
from kubeless_cli.kafka_session import ask
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit
from kubeless_cli.table import render

COLUMNS = ["NAME", "PARTITIONS", "REPLICAS"]
# A topic's name is at most 249 characters, and stays in one piece.
_WIDTH = 250


@click.command("list", short_help="List topics.")
@WIDE_OUT
@click.option("--internal", is_flag=True, help="Also those that Kafka keeps for itself.")
@kafka_options
def list_topics(out: str | None, internal: bool, **options: Any) -> None:
    """List the topics of the installation's Kafka; -o wide also shows their partitions."""
    connection, target, _ = installation(options)
    topics = ask(connection, target, "topic.list", {"internal": internal})["topics"]
    if out in ("yaml", "json"):
        emit(dump(topics, out))
    elif out == "wide":
        rows = [
            [topic["name"], str(topic["partitions"]), str(topic["replicationFactor"])]
            for topic in topics
        ]
        emit(render([COLUMNS, *rows], _WIDTH))
    elif topics:
        emit("\n".join(topic["name"] for topic in topics))
