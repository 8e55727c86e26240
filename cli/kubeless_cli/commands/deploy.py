"""`kubeless function deploy`: create a Function, or make an existing one what the flags say.

Server-side apply of the whole: what an earlier deploy set and this one leaves out goes; what others
set (kubectl, a GitOps tool, an autoscaler) stays, unless a flag names it.
"""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection, cluster_options, connect, functions
from kubeless_cli.errors import Problem
from kubeless_cli.flags import Wish, function_flags, function_name, refuse_what_is_not_there_yet
from kubeless_cli.inputs import check_size, read_dependencies, read_source, say
from kubeless_cli.manifest import build
from kubeless_cli.output import dump
from kubeless_cli.ownership import MANAGER, adopt
from kubeless_cli.stdout import emit
from kubeless_cli.submitted import finish

Object = dict[str, Any]


@click.command(short_help="Create a function, or replace it.")
@function_name()
@function_flags
@cluster_options
def deploy(
    name: str, dryrun: bool, output: str, wait: bool, wait_timeout: int, **options: Any
) -> None:
    """Create the function NAME, or make an existing one what these flags say.

    \b
    kubeless function deploy hello --runtime python3.13 --handler hello.handler -f hello.py --wait
    """
    wish = Wish.pick(options)
    _check(wish)
    source, deps = read_source(wish), read_dependencies(wish)
    check_size(source, deps)
    manifest = build(name, options["namespace"], wish, source, deps)
    if dryrun:
        emit(dump(manifest, output))
        return
    connection = connect(options)
    manifest["metadata"]["namespace"] = connection.namespace
    say("Deploying function...")
    finish(connection, apply(connection, manifest), wait, wait_timeout)


def apply(connection: Connection, manifest: Object) -> Object:
    """Apply the manifest as the command line's own; returns the object as it is now."""
    from kubeless_kube.errors import Conflict, NotFound

    name = manifest["metadata"]["name"]
    try:
        present = connection.client.get(functions(), connection.namespace, name)
    except NotFound:
        present = None
    managed = adopt(present["metadata"].get("managedFields") or []) if present else None
    if present and managed:
        try:
            connection.client.patch(
                functions(),
                connection.namespace,
                name,
                [
                    {
                        "op": "test",
                        "path": "/metadata/resourceVersion",
                        "value": present["metadata"]["resourceVersion"],
                    },
                    {"op": "replace", "path": "/metadata/managedFields", "value": managed},
                ],
                kind="json",
                manager=MANAGER,
            )
        except Conflict:
            # Somebody wrote meanwhile: look again.
            return apply(connection, manifest)
    return connection.client.apply(functions(), manifest, manager=MANAGER)


def _check(wish: Wish) -> None:
    """What a whole function needs, beyond each flag being right by itself."""
    refuse_what_is_not_there_yet(wish)
    if not wish.runtime and not wish.runtime_image:
        raise Problem(
            "Either --runtime or --runtime-image must be given; for instance --runtime python3.13."
        )
    if wish.runtime and not wish.handler:
        raise Problem("--handler is missing: expected <module>.<function>, such as hello.handler.")
    if not wish.runtime_image and not wish.from_file:
        raise Problem("--from-file is missing: expected the file that has the function, or a URL.")
    if wish.from_file and not wish.runtime:
        raise Problem(
            "--runtime is missing: --from-file gives source, and a runtime has to run it."
        )
    if wish.runtime_image and wish.from_file:
        say("Note: --runtime-image brings the function with it; --from-file is not mounted.")
