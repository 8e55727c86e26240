"""How far a Deployment is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kubeless_api import conditions, names
from kubeless_controller.observed.pods import diagnose, is_ready
from kubeless_controller.observed.verdict import Verdict

Object = Mapping[str, Any]
Pod = TypeVar("Pod", bound=Mapping[str, Any])

REVISION = "deployment.kubernetes.io/revision"
POD_TEMPLATE_HASH = "pod-template-hash"


def available(deployment: Object | None) -> Verdict:
    """Say whether some pods serve, of whatever generation."""
    if deployment is None:
        return Verdict(False, conditions.NO_PODS_READY, "nothing runs yet")
    serving = _status(deployment).get("availableReplicas", 0)
    if serving:
        return Verdict(
            True, conditions.SERVING, f"{serving} pod{'s' if serving > 1 else ''} serving"
        )
    if deployment["spec"].get("replicas", 1) == 0:
        return Verdict(False, conditions.SCALED_TO_ZERO, "the function is scaled to 0 pods")
    return Verdict(False, conditions.NO_PODS_READY, "no pod serves")


def ready(
    deployment: Object | None, new_pods: Sequence[Object], newest: Object | None = None
) -> Verdict:
    """Say whether the Deployment's current generation serves, and only it.

    ``newest`` is its newest ReplicaSet, ``new_pods`` are the pods of that.
    """
    if deployment is None:
        return Verdict(False, conditions.PROGRESSING, "the Deployment is being made")
    status = _status(deployment)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    if not seen and not _only_scaled(deployment, newest, new_pods):
        return Verdict(False, conditions.PROGRESSING, "the Deployment is being rolled out")
    if deployment["spec"].get("replicas", 1) == 0:
        return Verdict(False, conditions.SCALED_TO_ZERO, "the function is scaled to 0 pods")
    wanted = deployment["spec"].get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    serving = status.get("availableReplicas", 0)
    # With no pod of an older generation left, every pod that serves is of this one.
    if updated and updated == total and serving:
        return Verdict(True, conditions.SERVING, f"{serving} of {wanted} pods serving")
    failure = _deployment_condition(deployment, "ReplicaFailure")
    if failure.get("status") == "True":
        message = failure.get("message", "")
        reason = (
            conditions.QUOTA_EXCEEDED if "exceeded quota" in message else conditions.PODS_FORBIDDEN
        )
        return Verdict(False, reason, f"pods cannot be made: {message}")
    told = diagnose(new_pods)
    if told is not None and told.reason != conditions.PROGRESSING:
        return told
    progressing = _deployment_condition(deployment, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        message = told.message if told else progressing.get("message", "")
        return Verdict(False, conditions.PROGRESS_DEADLINE_EXCEEDED, message)
    count = f"{updated} of {wanted} pods of this version made, {serving} pods serving"
    return Verdict(False, conditions.PROGRESSING, f"{told.message}; {count}" if told else count)


def newest_replica_set(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet that the Deployment rolls out, or has rolled out."""
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    uid = deployment["metadata"].get("uid")
    for replica_set in replica_sets:
        owners = replica_set["metadata"].get("ownerReferences") or []
        if not any(owner.get("uid") == uid for owner in owners):
            continue  # left by a Deployment of this name that is gone
        annotations = replica_set["metadata"].get("annotations") or {}
        if revision is not None and annotations.get(REVISION) == revision:
            return replica_set
    return None


def newest_pods(
    deployment: Object | None, replica_sets: Iterable[Object], pods: Iterable[Pod]
) -> tuple[Object | None, list[Pod]]:
    """The Deployment's newest ReplicaSet, and its pods."""
    newest = None if deployment is None else newest_replica_set(deployment, replica_sets)
    if newest is None:
        return None, []
    template = newest["metadata"]["labels"].get(POD_TEMPLATE_HASH)
    return newest, [
        pod for pod in pods if pod["metadata"]["labels"].get(POD_TEMPLATE_HASH) == template
    ]


def _only_scaled(deployment: Object, newest: Object | None, new_pods: Iterable[Object]) -> bool:
    """Say whether the generation grew by the number of replicas alone: what served before goes on serving.

    The newest ReplicaSet is for what was asked for last (its Deployment's annotations are copied to it),
    and it has pods that serve: one that was just made has none yet.
    """
    asked = _annotations(deployment).get(names.ANNOTATION_APPLIED)
    return (
        bool(asked)
        and _annotations(newest or {}).get(names.ANNOTATION_APPLIED) == asked
        and any(is_ready(pod) for pod in new_pods)
    )


def _annotations(obj: Object) -> Object:
    found: Object = obj.get("metadata", {}).get("annotations") or {}
    return found


def _status(deployment: Object) -> Object:
    status: Object = deployment.get("status") or {}
    return status


def _deployment_condition(deployment: Object, kind: str) -> Object:
    for condition in _status(deployment).get("conditions") or []:
        if condition["type"] == kind:
            found: Object = condition
            return found
    return {}
