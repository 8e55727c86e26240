"""`kubeless trigger http update`: change what the flags say and nothing else."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.errors import Problem
from kubeless_cli.http_flags import http_flags
from kubeless_cli.http_trigger import HTTPWish, change
from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_cli.trigger_commands import trigger_flags, update


@click.command("update", short_help="Change parts of an HTTP trigger.")
@trigger_flags(*http_flags(required=False))
def update_http(name: str, **options: Any) -> None:
    """Change what these flags say of the HTTP trigger NAME, and leave the rest as it is.

    --label and --annotation add to what is there, --parent-ref replaces it; an empty value
    (--path "") takes away what is there.
    """
    wish = HTTPWish.pick(options)
    if wish == HTTPWish():
        raise Problem("Nothing to change: name at least one flag, such as --path hello.")
    update(HTTP_TRIGGER, name, lambda trigger: change(trigger, wish), options)
