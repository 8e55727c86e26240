"""`kubeless topic create`: make a topic of the installation's Kafka."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.flags import pairs
from kubeless_cli.inputs import say
from kubeless_cli.kafka_commands import installation, kafka_options
from kubeless_cli.kafka_flags import topic
from kubeless_cli.kafka_session import ask
from kubeless_cli.readers import read

_MOST_PARTITIONS = 100_000


def _setting(key: str, value: str) -> None:
    if not key or not value:
        raise ValueError(f"'{key}={value}' is no setting: expected one such as retention.ms=60000.")


@click.command(short_help="Create a topic.")
@click.argument("name", metavar="NAME", callback=read(topic))
@click.option(
    "--partitions",
    type=click.IntRange(1, _MOST_PARTITIONS),
    help="How many partitions. [default: what the brokers have]",
)
@click.option(
    "--replication-factor",
    type=click.IntRange(1, 2**15 - 1),
    help="On how many brokers each is. [default: what the brokers have]",
)
@click.option(
    "--config",
    multiple=True,
    metavar="KEY=VALUE,...",
    callback=pairs(_setting),
    help="Settings of the topic, such as retention.ms=3600000.",
)
@kafka_options
def create(
    name: str,
    *,
    partitions: int | None,
    replication_factor: int | None,
    config: dict[str, str] | None,
    **options: Any,
) -> None:
    """Create the topic NAME.

    \b
    kubeless topic create orders --partitions 6
    """
    connection, target, _ = installation(options)
    arguments = {
        "name": name,
        "partitions": partitions or -1,
        "replicationFactor": replication_factor or -1,
        "config": config or {},
    }
    ask(connection, target, "topic.create", arguments)
    say(f"Topic {name} created")
