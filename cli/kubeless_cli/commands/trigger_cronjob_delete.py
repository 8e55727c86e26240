"""`kubeless trigger cronjob delete`: the trigger and the CronJob that was made of it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.cronjob_trigger import refuse_to_delete_what_comes_back
from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_cli.removal import removal_flags, remove


@click.command("delete", short_help="Delete cronjob triggers.")
@removal_flags
def delete_cronjob(**options: Any) -> None:
    """Delete the cronjob triggers NAME...; calls that run are ended. The functions stay."""
    remove(CRONJOB_TRIGGER, options, check=refuse_to_delete_what_comes_back)
