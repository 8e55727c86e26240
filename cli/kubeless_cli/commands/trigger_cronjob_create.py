"""`kubeless trigger cronjob create`: create a CronJobTrigger, or make an existing one what the flags
say."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.cronjob_flags import cronjob_flags
from kubeless_cli.cronjob_trigger import CronJobWish, change, refuse_what_a_function_decides
from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_cli.trigger_commands import create, trigger_flags


@click.command("create", short_help="Create a cronjob trigger, or replace it.")
@trigger_flags(*cronjob_flags(required=True))
def create_cronjob(name: str, **options: Any) -> None:
    """Call a function on a schedule, or make the cronjob trigger NAME what these flags say.

    \b
    kubeless trigger cronjob create nightly --function hello --schedule "0 3 * * *" \\
        --payload '{"name": "world"}'
    """
    wish = CronJobWish.pick(options)
    create(
        CRONJOB_TRIGGER,
        name,
        lambda trigger: change(trigger, wish),
        options,
        check=lambda present: refuse_what_a_function_decides(present, wish),
    )
