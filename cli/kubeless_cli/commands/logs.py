"""`kubeless function logs`: what the function's pods wrote, all of them, oldest pod first.

With one pod the lines come as they are; with several each line is prefixed by its pod. Following
several pods reads each in a thread of its own; lines stay whole.
"""

from __future__ import annotations

from threading import Lock, Thread
from typing import Any

import click

from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.errors import Failure
from kubeless_cli.flags import duration, function_name
from kubeless_cli.inputs import say
from kubeless_cli.podlogs import Stream, container_state, containers
from kubeless_cli.stdout import write

Object = dict[str, Any]


@click.command(short_help="Print what a function's pods logged.")
@function_name()
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option(
    "--tail", type=click.IntRange(min=0), metavar="LINES", help="Only the last lines of each pod."
)
@click.option(
    "--since", metavar="DURATION", callback=duration, help="Only what is newer, such as 5m."
)
@click.option("--previous", is_flag=True, help="Of the container before its last restart.")
@click.option("-c", "--container", help="Another container: a sidecar, prepare, install.")
@cluster_options
def logs(
    name: str,
    *,
    follow: bool,
    tail: int | None,
    since: int | None,
    previous: bool,
    container: str | None,
    **options: Any,
) -> None:
    """Print the logs of the function NAME."""
    connection = connect(options)
    pods = _pods(connection, name)
    container = container or name
    query = {
        "container": container,
        "follow": "true" if follow else "",
        "tailLines": "" if tail is None else str(tail),
        "sinceSeconds": "" if since is None else str(max(1, since)),
        "previous": "true" if previous else "",
    }
    started: list[tuple[Object, str]] = []
    waiting: list[tuple[Object, str]] = []
    for pod in pods:
        if container not in containers(pod):
            raise Failure(
                f"Pod {pod['metadata']['name']} has no container '{container}'; "
                f"it has {', '.join(containers(pod))}."
            )
        state = container_state(pod, container)
        (waiting if state and not previous else started).append((pod, state))
    for pod, state in waiting:
        say(f"{pod['metadata']['name']}: {state}")
    if not started:
        raise Failure(f"No pod of function {name} has started its container '{container}' yet.")
    _print([pod for pod, _ in started], query, connection, prefixed=len(pods) > 1)


def _pods(connection: Connection, name: str) -> list[Object]:
    """The function's pods, oldest first. Raises Failure when there are none."""
    from kubeless_api.names import selector_labels
    from kubeless_kube.resources import PODS

    labels = ",".join(f"{key}={value}" for key, value in selector_labels(name).items())
    pods: list[Object] = connection.client.list(PODS, connection.namespace, labels=labels)["items"]
    if not pods:
        from kubeless_cli.status import standing

        state = standing(connection.function(name))
        raise Failure(f"Function {name} has no pods. {state}")
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))


def _print(
    pods: list[Object], query: dict[str, str], connection: Connection, prefixed: bool
) -> None:
    streams = [Stream(connection, pod, query) for pod in pods]
    lock = Lock()
    gone = False

    def copy(stream: Stream) -> None:
        nonlocal gone
        prefix = f"[{stream.pod}] ".encode() if prefixed else b""
        for line in stream.lines():
            with lock:
                if gone:
                    return
                try:
                    write(prefix + line)
                except BrokenPipeError:
                    gone = True
                    return

    if query["follow"] and len(streams) > 1:
        threads = [Thread(target=copy, args=(stream,), daemon=True) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and not gone:
                thread.join(0.2)
    else:
        for stream in streams:
            copy(stream)
    if gone:
        raise BrokenPipeError
    errors = [stream.error for stream in streams if stream.error]
    if errors:
        raise Failure("\n".join(errors))
