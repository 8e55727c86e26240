"""The flags of `kubeless trigger cronjob create` and `update`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kubeless_api.cronjob_trigger import POLICIES
from kubeless_cli import names, payload, quantity
from kubeless_cli.cronjob_trigger import check_time_zone, policy
from kubeless_cli.flags import checked
from kubeless_cli.readers import number, read, unless_empty

# Kubernetes counts Jobs and attempts in 32 bits.
_MOST_JOBS = 2**31 - 1
_MOST_RETRIES = 20


def cronjob_flags(*, required: bool) -> tuple[Callable[[Any], Any], ...]:
    """The flags in the order that --help shows; `required`: what a whole trigger needs is."""
    return (
        click.option(
            "--function",
            "--function-name",
            "function_name",
            required=required,
            callback=checked(names.check_function_name, empty=False),
            help="The function that is called; it may come later.",
        ),
        click.option(
            "--schedule",
            metavar="CRON",
            required=required,
            callback=checked(names.check_schedule, empty=False),
            help="When: minute, hour, day of month, month, day of week, such as '*/5 * * * *'; or "
            "@hourly, @daily, @weekly, @monthly, @yearly, '@every 1h30m'.",
        ),
        click.option(
            "--time-zone",
            metavar="NAME",
            callback=checked(check_time_zone),
            help="Time zone of the schedule, such as Europe/Berlin. [default: that of the cluster, "
            "mostly UTC]",
        ),
        click.option(
            "-p",
            "--payload",
            metavar="JSON",
            callback=read(lambda text: (payload.from_text(text),)),
            help="What the function is called with, such as '{\"a\": 1}'; a text has quotes: "
            "'\"text\"'. [default: nothing]",
        ),
        click.option(
            "-f",
            "--payload-from-file",
            metavar="FILE",
            callback=read(lambda location: (payload.from_file(location),)),
            help="The same from a JSON or YAML file, or - for standard input.",
        ),
        click.option(
            "--concurrency-policy",
            metavar="|".join(POLICIES),
            callback=unless_empty(policy),
            help="What happens when it is time and the call before has not ended: another one "
            "beside it, none, or another one instead. [default: Allow]",
        ),
        click.option(
            "--starting-deadline",
            metavar="DURATION",
            callback=unless_empty(quantity.parse_duration),
            help="How late a call that was missed may still be made, such as 10m.",
        ),
        click.option(
            "--retries",
            metavar="NUMBER",
            callback=number(_MOST_RETRIES),
            help="How often a call that failed is made again. [default: 2]",
        ),
        click.option(
            "--suspend/--no-suspend",
            " /--resume",
            "suspend",
            default=None,
            help="Call nothing for the time being; --resume goes on.",
        ),
        click.option(
            "--successful-jobs-history-limit",
            "successful_history",
            metavar="NUMBER",
            callback=number(_MOST_JOBS),
            help="Jobs of calls that succeeded that are kept. [default: 3]",
        ),
        click.option(
            "--failed-jobs-history-limit",
            "failed_history",
            metavar="NUMBER",
            callback=number(_MOST_JOBS),
            help="Jobs of calls that failed that are kept. [default: 1]",
        ),
    )
