"""Making an object what a command line says, whoever made it: server-side apply of the whole.

What an earlier command applied and this one leaves out goes; what others set (kubectl, a GitOps
tool, an autoscaler) stays, unless a flag names it.
"""

from __future__ import annotations

from typing import Any

from kubeless_cli.connection import Connection
from kubeless_cli.edit import ATTEMPTS, beaten, patch
from kubeless_cli.kinds import Kind
from kubeless_cli.ownership import MANAGER, adopt

Object = dict[str, Any]


def apply(connection: Connection, kind: Kind, manifest: Object) -> Object:
    """Apply the manifest as the command line's own; returns the object as it is now.

    Raises Failure after five lost races.
    """
    from kubeless_kube.errors import Conflict

    name = manifest["metadata"]["name"]
    for _ in range(ATTEMPTS):
        present = connection.find(kind, name)
        operations = preparation(kind, present, manifest) if present else []
        if present and operations:
            try:
                patch(connection, kind, present, operations)
            except Conflict:
                continue
        return connection.client.apply(kind.resource, manifest, manager=MANAGER)
    raise beaten(connection, kind, name)


def preparation(kind: Kind, present: Object, manifest: Object) -> list[Object]:
    """What has to be written before the apply, as operations of a JSON patch.

    Fields that we own for another reason become part of our apply, and what would be merged with
    what others wrote is replaced.
    """
    operations: list[Object] = []
    managed = adopt(present["metadata"].get("managedFields") or [])
    if managed is not None:
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": managed})
    before, after = present.get("spec") or {}, manifest["spec"]
    operations += [
        {"op": "add", "path": f"/spec/{field}", "value": after[field]}
        for field in kind.whole
        if field in before and field in after and before[field] != after[field]
    ]
    return operations
