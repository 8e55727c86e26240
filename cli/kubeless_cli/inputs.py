"""Reading what the flags point at: the source and the dependencies, checked before any cluster."""

from __future__ import annotations

import sys

import click

from kubeless_cli import source
from kubeless_cli.errors import Problem
from kubeless_cli.flags import Wish


def read_source(wish: Wish) -> source.Source | None:
    """The source that --from-file names; None without the flag. Raises click.UsageError."""
    location = wish.from_file
    if location is None:
        return None
    try:
        if source.is_url(location):
            digest = wish.checksum or source.download_checksum(location)
            return source.from_url(location, digest)
        if location == "-":
            return source.from_bytes(sys.stdin.buffer.read(), "standard input")
        found = source.from_bytes(source.read_file(location), location)
    except source.SourceError as error:
        raise Problem(f"--from-file: {error}") from None
    if wish.checksum not in (None, "none", found.checksum):
        raise Problem(
            f"--checksum: '{location}' has the checksum {found.checksum}, not {wish.checksum}."
        )
    return found


def read_dependencies(wish: Wish) -> str | None:
    """The text of the file that --dependencies names; None without the flag."""
    location = wish.dependencies
    if location is None or location == "":
        return location
    if location == "-" and wish.from_file == "-":
        raise Problem("--dependencies and --from-file can't both be standard input.")
    try:
        data = sys.stdin.buffer.read() if location == "-" else source.read_file(location)
        if len(data) > source.MAX_STORED_BYTES:
            raise source.SourceError(f"'{location}' is larger than 1 MiB.")
        return data.decode("utf-8")
    except source.SourceError as error:
        raise Problem(f"--dependencies: {error}") from None
    except UnicodeDecodeError:
        raise Problem(f"--dependencies: '{location}' is not UTF-8 text.") from None


def check_size(found: source.Source | None, deps: str | None) -> None:
    """Source and dependencies share one ConfigMap. Raises Problem when they do not fit."""
    total = len((found.content if found else "").encode()) + len((deps or "").encode())
    if total > source.MAX_STORED_BYTES:
        raise Problem(
            "--from-file and --dependencies together are larger than 1 MiB, more than a Function "
            "holds.\nPut the source on a web server and give its URL instead."
        )


def say(message: str) -> None:
    """A line about what happens; standard output is for results only."""
    click.echo(message, err=True)
