"""Changing part of a Function that others may change at the same time.

Read, change, patch the difference against the very version that was read; when somebody else wrote
in between, all of it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeless_cli.connection import Connection, functions
from kubeless_cli.errors import Failure
from kubeless_cli.manifest import merge_patch
from kubeless_cli.ownership import MANAGER

Object = dict[str, Any]

ATTEMPTS = 5


def edit(connection: Connection, name: str, change: Callable[[Object], Object]) -> Object:
    """Write what `change` makes of the Function; returns the object as it is now.

    `change` gets the newest version, each time anew, and returns a changed copy. Raises Failure
    when there is no such Function, or after five lost races; and what `change` raises.
    """
    from kubeless_kube.errors import Conflict

    for _ in range(ATTEMPTS):
        present = connection.function(name)
        body = merge_patch(present, change(present))
        if not body:
            return present
        body.setdefault("metadata", {})["resourceVersion"] = present["metadata"]["resourceVersion"]
        try:
            return connection.client.patch(
                functions(), connection.namespace, name, body, kind="merge", manager=MANAGER
            )
        except Conflict:
            continue
    raise Failure(
        f"Function {name} was changed by somebody else each of the {ATTEMPTS} times that this "
        "command was about to write; nothing was done.\n"
        f"Try again; 'kubectl get function {name} -n {connection.namespace} "
        "--show-managed-fields -o yaml' tells who writes."
    )
