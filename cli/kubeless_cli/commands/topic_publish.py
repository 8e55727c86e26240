"""`kubeless topic publish`: records from a flag, a file or standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click

from kubeless_cli import files, records
from kubeless_cli.errors import Failure, Problem
from kubeless_cli.inputs import say
from kubeless_cli.kafka_commands import OUT, installation, kafka_options
from kubeless_cli.kafka_flags import topic
from kubeless_cli.kafka_session import ask
from kubeless_cli.output import dump
from kubeless_cli.readers import read
from kubeless_cli.stdout import emit


def _headers(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    headers = []
    for value in values:
        match = re.fullmatch(r"([^:=\s][^:=]*)[:=]\s?(.*)", value, re.DOTALL)
        if not match:
            raise click.BadParameter(f"'{value}' is not a header: expected NAME:VALUE.", ctx, param)
        headers.append((match[1].strip(), match[2]))
    return tuple(headers)


@click.command(short_help="Publish records.")
@click.option(
    "--topic",
    "name",
    metavar="TOPIC",
    default="kubeless",
    show_default=True,
    callback=read(topic),
    help="Where to.",
)
@click.option("-d", "--data", help="The record's value.")
@click.option(
    "-f",
    "--from-file",
    metavar="FILE",
    help="The value is this file; - for standard input, which is also taken when neither is given.",
)
@click.option("--lines", is_flag=True, help="Each line of the file or input is a record.")
@click.option("--key", help="Key of the record, or of all.")
@click.option(
    "--key-separator",
    metavar="TEXT",
    help="With --lines: the key is what stands before this, such as ':'.",
)
@click.option(
    "-H",
    "--header",
    multiple=True,
    metavar="NAME:VALUE",
    callback=_headers,
    help="A header of the record, or of all.",
)
@click.option("--null", is_flag=True, help="A record without a value, which deletes a key's.")
@OUT
@kafka_options
def publish(
    name: str,
    *,
    data: str | None,
    from_file: str | None,
    lines: bool,
    key: str | None,
    key_separator: str | None,
    header: tuple[tuple[str, str], ...],
    null: bool,
    out: str | None,
    **options: Any,
) -> None:
    """Publish one record, or with --lines one for each line. All brokers in sync have it when this ends.

    \b
    kubeless topic publish --topic orders --data '{"id": 1}' --key 1
    tail -f log | kubeless topic publish --topic lines --lines
    """
    if key_separator and not lines:
        raise Problem("--key-separator needs --lines: it is looked for in each line.")
    shape = records.Shape(None if key is None else _bytes(key), header)
    more = _records(shape, data, from_file, null, _bytes(key_separator or "") if lines else None)
    connection, target, _ = installation(options)
    arguments = {"topic": name, "places": out is not None}
    try:
        result = ask(connection, target, "publish", arguments, more=more)
    except records.TooLong as error:
        raise Failure(f"Standard input can't be published: {error}.") from None
    if out:
        places = [
            {"topic": name, "partition": partition, "offset": offset}
            for partition, offset in result["places"]
        ]
        emit(dump(places, out))
        return
    count = result["published"]
    if count == 1:
        partition, offset = result["last"]
        say(f"Record published to topic {name}: partition {partition}, offset {offset}")
    else:
        say(f"{count} records published to topic {name}")


def _records(
    shape: records.Shape,
    data: str | None,
    from_file: str | None,
    null: bool,
    separator: bytes | None,
) -> Iterator[bytes]:
    """The frames of what the flags name; `separator` is None without --lines. Raises Problem."""
    given = [
        flag
        for flag, is_given in (
            ("--data", data is not None),
            ("--from-file", from_file is not None),
            ("--null", null),
        )
        if is_given
    ]
    if len(given) > 1:
        raise Problem(f"{' and '.join(given)} exclude each other: expected one.")
    if separator is not None and (null or data is not None):
        raise Problem(
            f"--lines and {given[0]} exclude each other: lines come from a file or input."
        )
    if null:
        return records.one(shape, None)
    if data is not None:
        return records.one(shape, _bytes(data))
    if from_file in (None, "-"):
        if from_file is None and sys.stdin.isatty():
            raise Problem("Nothing to publish: name --data or --from-file, or pipe something in.")
        if separator is not None:
            found = records.pieces(records.descriptor(sys.stdin.fileno()))
            return records.lines(shape, found, separator)
        return records.one(shape, sys.stdin.buffer.read())
    try:
        content = files.read_file(str(from_file), records.MAX_RECORD)
    except files.TooLarge as error:
        raise Problem(
            f"--from-file: {error}; expected at most {records.MAX_RECORD // 2**20}."
        ) from None
    except files.FileError as error:
        raise Problem(f"--from-file: {error}") from None
    if separator is None:
        return records.one(shape, content)
    return records.lines(shape, iter([content]), separator)


def _bytes(text: str) -> bytes:
    # surrogateescape: bytes on the command line that are no UTF-8 go out as they came.
    return text.encode("utf-8", "surrogateescape")
