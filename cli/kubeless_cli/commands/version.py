"""`kubeless version`: of this command line only, so that it needs no cluster."""

from __future__ import annotations

import click

from kubeless_cli import __version__


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"kubeless {__version__}")
