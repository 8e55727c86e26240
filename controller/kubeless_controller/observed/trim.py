"""Cutting cached objects down to what is looked at.

With thousands of functions the caches are most of the controller's memory,
and most of a pod is never read here.
"""

from __future__ import annotations

from typing import Any

from kubeless_api import names

Object = dict[str, Any]
_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "deletionTimestamp",
    "creationTimestamp",
    "labels",
    "annotations",
    "ownerReferences",
)


def metadata_of(obj: Object) -> Object:
    """The metadata that is looked at; managedFields only where they need an upgrade."""
    full = obj["metadata"]
    kept = {key: full[key] for key in _METADATA if key in full}
    legacy = [
        entry
        for entry in full.get("managedFields") or []
        if entry.get("manager") in (names.FIELD_MANAGER, names.BEFORE_FIRST_APPLY)
        and entry.get("operation") == "Update"
        and not entry.get("subresource")
    ]
    if legacy:
        kept["managedFields"] = [
            {"manager": entry["manager"], "operation": entry["operation"]} for entry in legacy
        ]
    return kept


def child(obj: Object) -> Object:
    """A Deployment or Service: whole, but for most of its managedFields."""
    return {**obj, "metadata": metadata_of(obj)}


def replica_set(obj: Object) -> Object:
    """A ReplicaSet: which Deployment and revision it is, and which ConfigMaps its pods mount."""
    volumes = obj["spec"]["template"]["spec"].get("volumes") or []
    return {
        "metadata": metadata_of(obj),
        "configMaps": [volume["configMap"]["name"] for volume in volumes if "configMap" in volume],
    }


def autoscaler(obj: Object) -> Object:
    """An autoscaler: whole, but for the numbers in its status, which change every few seconds."""
    status = obj.get("status") or {}
    kept = ("type", "status", "reason", "message")
    return {
        **child(obj),
        "status": {
            "conditions": [
                {key: condition[key] for key in kept if key in condition}
                for condition in status.get("conditions") or []
            ]
        },
    }


def pod(obj: Object) -> Object:
    """A pod: its state and that of its containers, not its spec."""
    status = obj.get("status") or {}
    kept = ("phase", "reason", "message", "conditions")
    return {
        "metadata": metadata_of(obj),
        "status": {
            **{key: status[key] for key in kept if key in status},
            "containerStatuses": [
                *status.get("initContainerStatuses", []),
                *status.get("containerStatuses", []),
            ],
        },
    }
