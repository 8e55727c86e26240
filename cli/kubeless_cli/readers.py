"""Click callbacks that make a value of what a flag was given; None stays None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kubeless_cli.flags import Callback


def read(parse: Callable[[str], Any]) -> Callback:
    """A click callback that makes a value of what was given; ValueErrors name the flag."""

    def callback(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


def unless_empty(parse: Callable[[str], Any]) -> Callback:
    """The same; the empty value stays and takes a field away."""
    return read(lambda value: parse(value) if value else "")


def number(most: int, least: int = 0) -> Callback:
    """A whole number, or the empty value."""

    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value[:12]) <= most:
            raise ValueError(f"'{value}' is not a number from {least} to {most}.")
        return int(value)

    return unless_empty(parse)
