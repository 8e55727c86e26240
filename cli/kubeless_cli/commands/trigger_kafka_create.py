"""`kubeless trigger kafka create`: create a KafkaTrigger, or make an existing one what the flags say."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.kafka_flags import kafka_flags
from kubeless_cli.kafka_trigger import KafkaWish, change, refuse_what_a_function_decides
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.trigger_commands import create, trigger_flags


@click.command("create", short_help="Create a Kafka trigger, or replace it.")
@trigger_flags(*kafka_flags(required=True))
def create_kafka(name: str, **options: Any) -> None:
    """Call functions with the records of a topic, or make the Kafka trigger NAME what these flags say.

    \b
    kubeless trigger kafka create orders --trigger-topic orders --function-selector function=hello
    """
    wish = KafkaWish.pick(options)
    create(
        KAFKA_TRIGGER,
        name,
        lambda trigger: change(trigger, wish),
        options,
        check=lambda present: refuse_what_a_function_decides(present, wish),
    )
