"""What `deploy` and `update` do once the Function is written: say so, or wait for it."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.inputs import say
from kubeless_cli.progress import Progress
from kubeless_cli.status import NOT_SEEN, Phase, serves, url
from kubeless_cli.wait import until_ready

Object = dict[str, Any]


def finish(connection: Connection, function: Object, wait: bool, limit: int) -> None:
    """Without `wait`, the original's two lines. With it, the URL on standard output.

    Raises Failure with the condition's reason and message when the function fails or the limit
    (seconds) is reached.
    """
    name = function["metadata"]["name"]
    say(f"Function {name} submitted for deployment")
    if not wait:
        where = f" -n {connection.namespace}" if connection.namespace != "default" else ""
        say(f"Check the deployment status executing 'kubeless function ls {name}{where}'")
        return
    with Progress(f"Waiting for {name}") as progress:
        function, standing = until_ready(connection, function, limit, progress.report)
    if standing.phase is Phase.READY:
        say(f"Function {name} is ready")
        click.echo(url(function) or name)
        return
    if standing.phase is Phase.FAILED:
        before = "\nThe version before it still serves." if serves(function) else ""
        raise Failure(f"Function {name} failed. {standing}{before}")
    if standing == NOT_SEEN:
        raise Failure(
            f"Function {name} was submitted, but no controller has looked at it in {limit} s.\n"
            "Is it running? Try 'kubectl get pods -A -l app.kubernetes.io/name=kubeless'."
        )
    raise Failure(
        f"Function {name} is not ready after {limit} s. {standing}\n"
        "It may still become ready; --wait-timeout waits longer."
    )
