"""`kubeless trigger kafka update`: change what the flags say and nothing else."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.errors import Problem
from kubeless_cli.kafka_flags import kafka_flags
from kubeless_cli.kafka_trigger import KafkaWish, change
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.trigger_commands import trigger_flags, update


@click.command("update", short_help="Change parts of a Kafka trigger.")
@trigger_flags(*kafka_flags(required=False))
def update_kafka(name: str, **options: Any) -> None:
    """Change what these flags say of the Kafka trigger NAME, and leave the rest as it is.

    --label and --annotation add to what is there; an empty value (--auth-secret "") takes away what
    is there.
    """
    wish = KafkaWish.pick(options)
    if wish == KafkaWish():
        raise Problem("Nothing to change: name at least one flag, such as --replicas 3.")
    update(KAFKA_TRIGGER, name, lambda trigger: change(trigger, wish), options)
