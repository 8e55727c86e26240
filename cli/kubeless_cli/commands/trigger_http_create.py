"""`kubeless trigger http create`: create an HTTPTrigger, or make an existing one what the flags say."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.http_flags import http_flags
from kubeless_cli.http_trigger import HTTPWish, change
from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_cli.trigger_commands import create, trigger_flags


@click.command("create", short_help="Create an HTTP trigger, or replace it.")
@trigger_flags(*http_flags(required=True))
def create_http(name: str, **options: Any) -> None:
    """Give a function a host and a path outside the cluster, or make the HTTP trigger NAME what
    these flags say.

    Without --parent-ref, --ingress-class and --gateway it goes where the installation says.

    \b
    kubeless trigger http create hello --function-name hello --hostname hello.example.com
    """
    wish = HTTPWish.pick(options)
    create(HTTP_TRIGGER, name, lambda trigger: change(trigger, wish), options)
