"""`kubeless function delete`: the function and, through it, everything that was made for it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.kinds import FUNCTION
from kubeless_cli.removal import removal_flags, remove


@click.command(short_help="Delete functions.")
@removal_flags
def delete(**options: Any) -> None:
    """Delete the functions NAME..., with their pods and Services. Their triggers stay."""
    remove(FUNCTION, options)
