"""Why a pod does not serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubeless_api import conditions, names
from kubeless_controller.observed.verdict import Verdict

Pod = Mapping[str, Any]

_IMAGE_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)
_CONFIG_REASONS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreCreateHookError",
    }
)
_PREPARE_REASONS = frozenset(
    {
        conditions.CHECKSUM_MISMATCH,
        conditions.SOURCE_UNAVAILABLE,
        conditions.SOURCE_INVALID,
        conditions.SOURCE_TOO_LARGE,
    }
)
# Most telling first: of several pods that fail, this decides which one speaks.
_ORDER = (
    conditions.CHECKSUM_MISMATCH,
    conditions.SOURCE_UNAVAILABLE,
    conditions.SOURCE_INVALID,
    conditions.SOURCE_TOO_LARGE,
    conditions.DEPENDENCIES_FAILED,
    conditions.LOAD_FAILED,
    conditions.OUT_OF_MEMORY,
    conditions.CRASH_LOOPING,
    conditions.IMAGE_PULL_FAILED,
    conditions.CONTAINER_CONFIG_ERROR,
    conditions.UNSCHEDULABLE,
    conditions.PROGRESSING,
)


def diagnose(pods: Iterable[Pod]) -> Verdict | None:
    """Why the pods of one generation do not all serve; None when there is nothing to say."""
    # By name: of pods that fail alike the same one speaks each time, whoever looks.
    ordered = sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
    verdicts = [verdict for pod in ordered if (verdict := _of_pod(pod)) is not None]
    return min(verdicts, key=lambda verdict: _ORDER.index(verdict.reason), default=None)


def is_ready(pod: Pod) -> bool:
    """Say whether the pod serves."""
    return _condition(pod, "Ready").get("status") == "True"


def _of_pod(pod: Pod) -> Verdict | None:
    name = pod["metadata"]["name"]
    if is_ready(pod) or pod["metadata"].get("deletionTimestamp"):
        return None
    for status in pod["status"]["containerStatuses"]:
        verdict = _of_container(name, status)
        if verdict is not None:
            return verdict
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return Verdict(
            False, conditions.UNSCHEDULABLE, f"pod {name}: {scheduled.get('message', '')}"
        )
    return Verdict(False, conditions.PROGRESSING, f"pod {name} is starting")


def _of_container(pod: str, status: Mapping[str, Any]) -> Verdict | None:
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, said = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE_REASONS:
        message = f"pod {pod} cannot get the image {status.get('image', '')}: {said or reason}"
        return Verdict(False, conditions.IMAGE_PULL_FAILED, message)
    if reason in _CONFIG_REASONS:
        message = f"pod {pod} cannot start: {said or reason}"
        return Verdict(False, conditions.CONTAINER_CONFIG_ERROR, message)
    # While it runs again after a crash, the crash is still what there is to tell.
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    done = (state.get("terminated") or {}).get("exitCode") == 0
    if not ended or done:
        return None
    return _of_end(pod, status.get("name", ""), ended, status.get("restartCount", 0))


def _of_end(pod: str, container: str, ended: Mapping[str, Any], restarts: int) -> Verdict:
    code, said = ended.get("exitCode", 0), (ended.get("message") or "").strip()
    if ended.get("reason") == "OOMKilled":
        return Verdict(
            False,
            conditions.OUT_OF_MEMORY,
            f"pod {pod} needed more memory than its limit and was killed ({restarts} restarts); "
            "raise resources.limits.memory",
        )
    if container == names.PREPARE_CONTAINER and code == 1:
        # Its last line begins with the reason.
        reason, _, message = said.rpartition("\n")[2].partition(": ")
        if reason in _PREPARE_REASONS:
            return Verdict(False, reason, message)
    if container == names.INSTALL_CONTAINER:
        how = said or f"the installer ended with exit code {code} and said nothing"
        return Verdict(False, conditions.DEPENDENCIES_FAILED, how)
    # The runtimes end with 1, and say why, when the function cannot be loaded.
    if code == 1 and said:
        return Verdict(False, conditions.LOAD_FAILED, said)
    how = f"signal {code - 128}" if code > 128 else f"exit code {code}"
    message = f"pod {pod} ended with {how} ({restarts} restarts)"
    return Verdict(False, conditions.CRASH_LOOPING, f"{message}: {said}" if said else message)


def _condition(pod: Pod, kind: str) -> Mapping[str, Any]:
    for condition in pod["status"].get("conditions") or []:
        if condition["type"] == kind:
            found: Mapping[str, Any] = condition
            return found
    return {}
