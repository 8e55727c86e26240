"""How the calls of a trigger went, by the Jobs that made them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeless_api import conditions
from kubeless_controller.observed.pods import diagnose
from kubeless_controller.observed.status import cut

Object = Mapping[str, Any]

SUCCEEDED = "Succeeded"
FAILED = "Failed"
RUNNING = "Running"
# Minutes since 1970 have eight digits until 2160.
_SCHEDULED = re.compile(r"(?P<cron_job>.+)-(?P<minutes>[0-9]{8,})")


@dataclass(frozen=True)
class Firing:
    """One call: ``at`` is when it was to be made, ``failed_at`` when it was given up; both RFC 3339."""

    at: str
    result: str
    message: str
    failed_at: str


def of(cron_job: Object, jobs: Iterable[Object], pods: Iterable[Object]) -> list[Firing]:
    """The calls of a CronJob of which Jobs are left, the newest last."""
    uid, name = cron_job["metadata"]["uid"], cron_job["metadata"]["name"]
    by_job: dict[str, list[Object]] = {}
    for pod in pods:
        for owner in pod["metadata"].get("ownerReferences") or []:
            by_job.setdefault(owner.get("uid", ""), []).append(pod)
    found = [
        _firing(job, name, by_job.get(job["metadata"]["uid"], []))
        for job in jobs
        if _owned(job, uid)
    ]
    return sorted(found, key=lambda firing: firing.at)


def newest(firings: list[Firing], cron_job: Object, before: Object) -> dict[str, Any]:
    """What the status says of the last call; ``before`` is the status as it was.

    What is known stays when the Job is gone; how it went is taken from the CronJob then, where that says it.
    """
    if firings and firings[-1].at >= str(before.get("lastFiringTime") or ""):
        last = firings[-1]
        return {
            "lastFiringTime": last.at,
            "lastResult": last.result,
            "lastMessage": cut(last.message) or None,
        }
    if before.get("lastResult") != RUNNING:
        return {}
    succeeded = str((cron_job.get("status") or {}).get("lastSuccessfulTime") or "")
    if succeeded and succeeded >= str(before["lastFiringTime"]):
        return {"lastResult": SUCCEEDED, "lastMessage": None}
    return {"lastResult": None, "lastMessage": "its Job was deleted before its end was seen"}


def failed_since(firings: Iterable[Firing], when: str) -> list[Firing]:
    """The calls that were given up after ``when`` (RFC 3339; '' is ever), in the order in which they were."""
    failed = [firing for firing in firings if firing.result == FAILED and firing.failed_at > when]
    return sorted(failed, key=lambda firing: firing.failed_at)


def stamp(when: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the API server writes times."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _firing(job: Object, cron_job: str, pods: list[Object]) -> Firing:
    at = _scheduled(job, cron_job)
    ended = {
        condition["type"]: condition
        for condition in (job.get("status") or {}).get("conditions") or []
        if condition.get("status") == "True"
    }
    if "Complete" in ended:
        return Firing(at, SUCCEEDED, "", "")
    told = _last_words(pods)
    if "Failed" in ended:
        failed = ended["Failed"]
        message = told or failed.get("message", "") or failed.get("reason", "")
        return Firing(at, FAILED, message, failed.get("lastTransitionTime", "") or at)
    return Firing(at, RUNNING, f"an attempt failed: {told}" if told else _stuck(pods), "")


def _scheduled(job: Object, cron_job: str) -> str:
    """When the call was to be made: the Job's name has it, unless the Job was made by hand."""
    match = _SCHEDULED.fullmatch(job["metadata"]["name"])
    if match is None or match["cron_job"] != cron_job:
        made: str = job["metadata"]["creationTimestamp"]
        return made
    return stamp(datetime.fromtimestamp(int(match["minutes"]) * 60, UTC))


def _stuck(pods: list[Object]) -> str:
    """What keeps a pod from calling; '' when nothing does."""
    told = diagnose(pod for pod in pods if pod["status"].get("phase") == "Pending")
    return "" if told is None or told.reason == conditions.PROGRESSING else told.message


def _last_words(pods: list[Object]) -> str:
    """What the last pod that failed said."""
    failed = [pod for pod in pods if pod["status"].get("phase") == "Failed"]
    for pod in sorted(failed, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))[::-1]:
        for status in pod["status"]["containerStatuses"]:
            ended = (status.get("state") or {}).get("terminated") or {}
            said = (ended.get("message") or "").strip()
            if said:
                return said
            if ended.get("reason") == "OOMKilled":
                return f"pod {pod['metadata']['name']} needed more memory than its limit"
        if pod["status"].get("message"):
            return f"pod {pod['metadata']['name']}: {pod['status']['message']}"
    return ""


def _owned(job: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in job["metadata"].get("ownerReferences") or [])
