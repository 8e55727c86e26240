"""`kubeless trigger http delete`: the trigger and the route that was made of it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_cli.removal import removal_flags, remove


@click.command("delete", short_help="Delete HTTP triggers.")
@removal_flags
def delete_http(**options: Any) -> None:
    """Delete the HTTP triggers NAME..., with their routes. The functions stay."""
    remove(HTTP_TRIGGER, options)
