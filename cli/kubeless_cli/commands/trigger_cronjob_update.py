"""`kubeless trigger cronjob update`: change what the flags say and nothing else."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.cronjob_flags import cronjob_flags
from kubeless_cli.cronjob_trigger import CronJobWish, change
from kubeless_cli.errors import Problem
from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_cli.trigger_commands import trigger_flags, update


@click.command("update", short_help="Change parts of a cronjob trigger.")
@trigger_flags(*cronjob_flags(required=False))
def update_cronjob(name: str, **options: Any) -> None:
    """Change what these flags say of the cronjob trigger NAME, and leave the rest as it is.

    --label and --annotation add to what is there; an empty value (--payload "") takes away what is
    there.
    """
    wish = CronJobWish.pick(options)
    if wish == CronJobWish():
        raise Problem("Nothing to change: name at least one flag, such as --schedule @hourly.")
    update(CRONJOB_TRIGGER, name, lambda trigger: change(trigger, wish), options)
