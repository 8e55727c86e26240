"""What --wait shows: on standard error, one live line on a terminal, else a line per change."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

import click

from kubeless_cli.status import Phase, Standing
from kubeless_cli.table import plain

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """A context manager; `report` shows one standing."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._last: Standing | None = None
        self._live: Status | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.markup import escape

            self._live = Console(stderr=True, highlight=False).status(escape(self._title))
            self._live.start()
        return self

    def report(self, standing: Standing) -> None:
        """Show what is waited for, unless it shows already. How it ended is for others to say."""
        if standing == self._last or standing.phase is not Phase.WAITING:
            return
        self._last = standing
        line = " ".join(plain(str(standing)).split())
        if self._live is None:
            click.echo(f"{self._title}: {line}", err=True)
        else:
            from rich.markup import escape

            self._live.update(f"{escape(self._title)}: [dim]{escape(line)}[/dim]")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
