"""Who owns which field of an object, where it was not made by server-side apply.

An object that was made by a plain create carries our fields as those of an
"Update". A later apply adds to them but can never remove one of them, since
what it leaves out still has that other owner. Before the first apply, our
entry is therefore renamed to the "Apply" that will follow, as client-go's
``csaupgrade`` package does for kubectl.

Creating first and applying later is what makes "never touch what is not ours"
exact: a create fails when the name is taken, an apply would join in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from kubeless_kube.client import Client, Object
from kubeless_kube.resources import Resource


def needs_upgrade(obj: Object, managers: Iterable[str]) -> bool:
    """Say whether one of ``managers`` holds fields by an update of the object itself."""
    names = set(managers)
    return any(_is_update(entry, names) for entry in obj["metadata"].get("managedFields") or [])


def updaters(obj: Object) -> set[str]:
    """Who holds fields by updates of the object itself."""
    entries = obj["metadata"].get("managedFields") or []
    return {entry["manager"] for entry in entries if _is_update(entry, {entry.get("manager", "")})}


def upgraded(
    entries: list[dict[str, Any]],
    managers: Iterable[str],
    manager: str,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """The managedFields after handing the updates of ``managers`` to the apply of ``manager``.

    ``keep`` may take fields out of the set (in fieldsV1 form) that nobody
    shall own, so that leaving them out of the apply does not remove them.
    """
    names = set(managers)
    result = [copy.deepcopy(entry) for entry in entries if not _is_update(entry, names)]
    merged: dict[str, Any] = {}
    api_version = ""
    for entry in entries:
        if _is_update(entry, names):
            _merge(merged, entry.get("fieldsV1") or {})
            api_version = entry["apiVersion"]
    if keep is not None:
        keep(merged)
    for entry in result:
        if entry["manager"] == manager and entry["operation"] == "Apply":
            _merge(entry["fieldsV1"], merged)
            return result
    result.append(
        {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": merged,
        }
    )
    return result


def upgrade(
    client: Client,
    resource: Resource,
    obj: Object,
    managers: Iterable[str],
    manager: str,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Write the upgraded managedFields of ``obj``, which must have them. Raises Conflict when it changed."""
    metadata = obj["metadata"]
    entries = upgraded(metadata["managedFields"], list(managers), manager, keep)
    client.patch(
        resource,
        metadata.get("namespace"),
        metadata["name"],
        [
            {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": metadata["resourceVersion"],
            },
        ],
        kind="json",
        manager=manager,
    )


def _is_update(entry: dict[str, Any], managers: set[str]) -> bool:
    return (
        entry.get("manager") in managers
        and entry.get("operation") == "Update"
        and not entry.get("subresource")
    )


def _merge(into: dict[str, Any], fields: dict[str, Any]) -> None:
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)
