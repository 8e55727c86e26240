"""What commands do once an object is written: say so, or wait for it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_api.conditions import SUSPENDED
from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.inputs import say
from kubeless_cli.kinds import FUNCTION, Kind
from kubeless_cli.progress import Progress
from kubeless_cli.status import NOT_SEEN, Phase, serves, url
from kubeless_cli.wait import until_ready

Object = dict[str, Any]


def deployed(connection: Connection, function: Object, wait: bool, limit: int) -> None:
    """The end of `deploy` and `update`: the original's lines, or with `wait` the Function's URL.

    Raises what `finish` does.
    """
    name = function["metadata"]["name"]
    say(f"Function {name} submitted for deployment")
    if wait:
        finish(connection, FUNCTION, function, limit)
        return
    where = f" -n {connection.namespace}" if connection.namespace != "default" else ""
    say(f"Check the deployment status executing 'kubeless function ls {name}{where}'")


def finish(connection: Connection, kind: Kind, obj: Object, limit: int) -> None:
    """Wait until the object is ready; its URL, else its name, goes to standard output.

    Raises Failure with the condition's reason and message when it fails or the limit (seconds) is
    reached.
    """
    name = obj["metadata"]["name"]
    with Progress(f"Waiting for {name}") as progress:
        obj, standing = until_ready(connection, kind, obj, limit, progress.report)
    if standing.phase is Phase.READY or standing.reason == SUSPENDED:
        say(f"{kind.title} {name} is {'suspended' if standing.reason == SUSPENDED else 'ready'}")
        click.echo(url(obj) or name)
        return
    if standing.phase is Phase.FAILED:
        before = "\nThe version before it still serves." if serves(obj) else ""
        raise Failure(f"{kind.title} {name} failed. {standing}{before}")
    if standing == NOT_SEEN:
        raise Failure(
            f"{kind.title} {name} was submitted, but no controller has looked at it in {limit} s.\n"
            "Is it running? Try 'kubectl get pods -A -l app.kubernetes.io/name=kubeless'."
        )
    raise Failure(
        f"{kind.title} {name} is not ready after {limit} s. {standing}\n"
        "It may still become ready; --wait-timeout waits longer."
    )
