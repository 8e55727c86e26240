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
    "finalizers",
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
    return {
        "metadata": metadata_of(obj),
        "configMaps": _config_maps(obj["spec"]["template"]["spec"]),
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


def cron_job(obj: Object) -> Object:
    """A CronJob of a trigger: whole, with when it fired; one of somebody else: only whose it is."""
    owners = obj["metadata"].get("ownerReferences") or []
    if not any(str(owner.get("apiVersion", "")).startswith(f"{names.GROUP}/") for owner in owners):
        return {"metadata": metadata_of(obj)}
    status = obj.get("status") or {}
    kept = ("lastScheduleTime", "lastSuccessfulTime")
    return {**child(obj), "status": {key: status[key] for key in kept if key in status}}


def job(obj: Object) -> Object:
    """A Job: how it went, and which ConfigMaps its pods mount."""
    return {
        "metadata": metadata_of(obj),
        "status": {"conditions": (obj.get("status") or {}).get("conditions") or []},
        "configMaps": _config_maps(obj["spec"]["template"]["spec"]),
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


def consumer_pod(obj: Object) -> Object:
    """A pod that reads topics: as any, and where it can be asked."""
    kept = pod(obj)
    address = (obj.get("status") or {}).get("podIP")
    return {**kept, "status": {**kept["status"], "podIP": address}} if address else kept


def _config_maps(pod_spec: Object) -> list[str]:
    volumes = pod_spec.get("volumes") or []
    return [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
