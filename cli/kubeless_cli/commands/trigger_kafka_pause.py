"""`kubeless trigger kafka pause` and `resume`."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import cluster_options, connect
from kubeless_cli.edit import edit
from kubeless_cli.flags import object_name
from kubeless_cli.inputs import say
from kubeless_cli.kafka_trigger import KafkaWish, change
from kubeless_cli.kinds import KAFKA_TRIGGER


@click.command("pause", short_help="Give no records for the time being.")
@object_name()
@cluster_options
def pause_kafka(name: str, **options: Any) -> None:
    """Let the Kafka trigger NAME give no more records to functions; those under way are finished.

    It keeps its place: 'kubeless trigger kafka resume' goes on with the record after the last one.
    """
    _set(name, options, paused=True)


@click.command("resume", short_help="Go on where it was paused.")
@object_name()
@cluster_options
def resume_kafka(name: str, **options: Any) -> None:
    """Let the paused Kafka trigger NAME go on with the record after the last one."""
    _set(name, options, paused=False)


def _set(name: str, options: dict[str, Any], *, paused: bool) -> None:
    wish = KafkaWish(paused=paused)
    edit(connect(options), KAFKA_TRIGGER, name, lambda trigger: change(trigger, wish))
    say(f"{KAFKA_TRIGGER.title} {name} {'paused' if paused else 'resumed'}")
