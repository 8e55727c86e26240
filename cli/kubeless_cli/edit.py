"""Changing part of an object that others may change at the same time.

Read, change, write what differs against the very version that was read; when somebody else wrote
in between, all of it again. What differs is written as a JSON patch, part by part: a merge patch
cannot write a null, which is a value like any other in a payload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.kinds import Kind
from kubeless_cli.ownership import MANAGER

Object = dict[str, Any]

ATTEMPTS = 5


def edit(
    connection: Connection, kind: Kind, name: str, change: Callable[[Object], Object]
) -> Object:
    """Write what `change` makes of the object; returns the object as it is now.

    `change` gets the newest version, each time anew, and returns a changed copy. Raises Failure
    when there is no such object, or after five lost races; and what `change` raises.
    """
    from kubeless_kube.errors import Conflict

    for _ in range(ATTEMPTS):
        present = connection.read(kind, name)
        operations = differences(present, change(present))
        if not operations:
            return present
        try:
            return patch(connection, kind, present, operations)
        except Conflict:
            continue
    raise beaten(connection, kind, name)


def differences(old: Object, new: Object) -> list[Object]:
    """The operations of a JSON patch (RFC 6902) that turn the spec, labels and annotations of `old`
    into those of `new`; none when they are equal."""
    parts = {
        "/metadata/labels": (old["metadata"].get("labels"), new["metadata"].get("labels")),
        "/metadata/annotations": (
            old["metadata"].get("annotations"),
            new["metadata"].get("annotations"),
        ),
        "/spec": (old.get("spec"), new.get("spec")),
    }
    return [
        {"op": "add", "path": path, "value": after or {}}
        for path, (before, after) in parts.items()
        if (before or {}) != (after or {})
    ]


def patch(connection: Connection, kind: Kind, present: Object, operations: list[Object]) -> Object:
    """Write operations onto the version `present`. Raises Conflict when there is a newer one."""
    version = present["metadata"]["resourceVersion"]
    guard = {"op": "replace", "path": "/metadata/resourceVersion", "value": version}
    return connection.client.patch(
        kind.resource,
        connection.namespace,
        present["metadata"]["name"],
        [guard, *operations],
        kind="json",
        manager=MANAGER,
    )


def beaten(connection: Connection, kind: Kind, name: str) -> Failure:
    """The failure of a command whose every attempt to write came too late."""
    return Failure(
        f"{kind.title} {name} was changed by somebody else each of the {ATTEMPTS} times that this "
        "command was about to write; nothing was done.\n"
        f"Try again; 'kubectl get {kind.plural} {name} -n {connection.namespace} "
        "--show-managed-fields -o yaml' tells who writes."
    )
