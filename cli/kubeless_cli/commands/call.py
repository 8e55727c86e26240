"""`kubeless function call`: the answer's body on standard output, all else on standard error."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.errors import Failure, Problem
from kubeless_cli.flags import function_name
from kubeless_cli.source import SourceError, read_file
from kubeless_cli.status import Phase, standing
from kubeless_cli.stdout import emit

if TYPE_CHECKING:
    from kubeless_cli.proxy import Answer

MAX_SHOWN = 64 * 1024


def _headers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for value in values:
        name, colon, content = value.partition(":")
        content = content.strip()
        if not colon or not re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", name):
            message = f"'{value}' is not a header: expected 'Name: value'."
            raise click.BadParameter(message, ctx, param)
        if not re.fullmatch(r"[\t\x20-\x7e]*", content):
            message = f"the value of '{name}' has characters that are not printable ASCII."
            raise click.BadParameter(message, ctx, param)
        headers[name] = content
    return headers


@click.command(short_help="Call a function and print its answer.")
@function_name()
@click.option("-d", "--data", help="What to send; makes it a POST.")
@click.option("--data-file", metavar="FILE", help="Send this file; - for standard input.")
@click.option("-X", "--method", help="HTTP method. [default: GET, with data POST]")
@click.option("--path", default="/", help="Path and query to call, such as /items?max=3.")
@click.option(
    "-H",
    "--header",
    multiple=True,
    metavar="'NAME: VALUE'",
    callback=_headers,
    help="More headers.",
)
@cluster_options
def call(
    name: str,
    *,
    data: str | None,
    data_file: str | None,
    method: str | None,
    path: str,
    header: dict[str, str],
    **options: Any,
) -> None:
    """Call the function NAME through the API server, wherever you are.

    \b
    kubeless function call hello --data '{"name": "world"}'
    """
    from kubeless_cli import proxy

    body = _body(data, data_file)
    verb = method.upper() if method else ("GET" if body is None else "POST")
    if not re.fullmatch(r"[A-Z]+", verb):
        raise Problem(f"--method: '{method}' is not an HTTP method: expected one such as PUT.")
    connection = connect(options)
    # What the user says of a header wins, however it is spelled.
    given = {key.lower() for key in header}
    headers = proxy.event_headers(body, datetime.now(UTC))
    headers = {key: value for key, value in headers.items() if key.lower() not in given} | header
    answer = proxy.call(connection, name, method=verb, path=path, data=body, headers=headers)
    if answer.by_cluster:
        raise _not_called(connection, name, answer)
    if answer.status >= 400:
        raise Failure(_refusal(name, answer))
    emit(answer.body)


def _body(data: str | None, data_file: str | None) -> bytes | None:
    """The bytes to send. Empty data is no data, as ever; an empty file is an empty body."""
    if data and data_file:
        raise Problem("--data and --data-file exclude each other.")
    if data_file == "-":
        return sys.stdin.buffer.read()
    if data_file:
        try:
            return read_file(data_file)
        except SourceError as error:
            raise Problem(f"--data-file: {error}") from None
    # surrogateescape: bytes on the command line that are no UTF-8 go out as they came.
    return data.encode("utf-8", "surrogateescape") if data else None


def _refusal(name: str, answer: Answer) -> str:
    """The function's own error: its status and body."""
    if answer.status == 408:
        return "Request timeout exceeded"
    status = f"{answer.status} {answer.phrase}".strip()
    body = answer.body[:MAX_SHOWN].decode("utf-8", "replace").strip()
    text = f"{status}: {body}" if body not in ("", answer.phrase) else status
    hint = f"\n'kubeless function logs {name}' shows why." if answer.status == 500 else ""
    return text + hint


def _not_called(connection: Connection, name: str, answer: Answer) -> Exception:
    """Why the API server did not get through: the function's own condition knows."""
    from kubeless_kube.errors import error_from_response

    if answer.status in (401, 403):
        return error_from_response(answer.status, answer.phrase, answer.body)
    function = connection.function(name)  # says so when there is none
    state = standing(function)
    if state.phase is Phase.READY:
        return Failure(
            f"Function {name} is ready, but the call did not get through: {answer.message}\n"
            f"'kubeless function logs {name}' may say more."
        )
    return Failure(
        f"Function {name} is not ready. {state}\n"
        f"'kubeless function describe {name}' shows all of it."
    )
