"""`kubeless trigger kafka delete`: the trigger and its consumers."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.kafka_trigger import refuse_to_delete_what_comes_back
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.removal import removal_flags, remove


@click.command("delete", short_help="Delete Kafka triggers.")
@removal_flags
def delete_kafka(**options: Any) -> None:
    """Delete the Kafka triggers NAME... and their consumers. Topics and functions stay."""
    remove(KAFKA_TRIGGER, options, check=refuse_to_delete_what_comes_back)
