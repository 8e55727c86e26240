"""A CronJobTrigger's status, put together from what lives in the caches."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubeless_api import conditions
from kubeless_controller.observed import firings
from kubeless_controller.observed.crontab import next_firing
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.cronjob_caches import CronJobCaches
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_kube.events import EventRecorder

log = logging.getLogger(__name__)

Object = dict[str, Any]

# When it is time, the Job that the CronJob controller makes brings the trigger up by itself; this is for when none comes.
LATE_SECONDS = 2.0


class CronJobStatus:
    """Puts the status together and has it written.

    * What was seen of a call stays when its Job is gone.
    * Each call that failed is told by one event, whichever controller saw it: the status says which was told last.
    """

    def __init__(
        self,
        caches: CronJobCaches,
        writer: StatusWriter,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._caches = caches
        self._writer = writer
        self._events = events
        self._now = now

    def write(self, obj: Object, accepted: Verdict, cron_job: Object | None) -> float | None:
        """Bring the status up to date; returns the seconds until it changes by itself, None when it does not.

        Raises Conflict when the trigger changed meanwhile.
        """
        before = obj.get("status") or {}
        now = self._now()
        coming = None if cron_job is None else _next(cron_job, now)
        fresh: Object = {
            "cronJob": None if cron_job is None else cron_job["metadata"]["name"],
            "nextFiringTime": None if coming is None else firings.stamp(coming),
        }
        known = [] if cron_job is None else self._firings(obj, cron_job)
        fresh |= firings.newest(known, cron_job or {}, before)
        failed = firings.failed_since(known, str(before.get("lastFailureTime") or ""))
        if failed:
            fresh["lastFailureTime"] = failed[-1].failed_at
        verdicts = {
            conditions.ACCEPTED: accepted,
            conditions.READY: _ready(accepted, cron_job),
        }
        self._writer.write(obj, verdicts, fresh)
        # Only now: a write that fails comes again, and so would they.
        for firing in failed:
            message = f"the call of {firing.at} failed: {firing.message}"
            self._events.record(obj, "Warning", conditions.FIRING_FAILED, message)
        return None if coming is None else (coming - now).total_seconds() + LATE_SECONDS

    def _firings(self, obj: Object, cron_job: Object) -> list[firings.Firing]:
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        return firings.of(
            cron_job, self._caches.jobs.in_group(key), self._caches.pods.in_group(key)
        )


def _ready(accepted: Verdict, cron_job: Object | None) -> Verdict:
    if not accepted.ok:
        return Verdict(False, accepted.reason, accepted.message)
    if cron_job is None:
        return Verdict(False, conditions.PROGRESSING, "the CronJob is being made")
    spec = cron_job["spec"]
    if spec.get("suspend"):
        message = "spec.suspend is true: nothing is called until it is taken out"
        return Verdict(False, conditions.SUSPENDED, message)
    zone = f" ({spec['timeZone']})" if spec.get("timeZone") else ""
    name = cron_job["metadata"]["name"]
    return Verdict(
        True, conditions.SCHEDULED, f"the CronJob {name} calls at {spec['schedule']}{zone}"
    )


def _next(cron_job: Object, now: datetime) -> datetime | None:
    """When the CronJob calls next; None when it does not, or when its schedule cannot be read here."""
    spec = cron_job["spec"]
    if spec.get("suspend") or cron_job["metadata"].get("deletionTimestamp"):
        return None
    last = (cron_job.get("status") or {}).get("lastScheduleTime")
    since = datetime.fromisoformat(last or cron_job["metadata"]["creationTimestamp"])
    try:
        return next_firing(spec["schedule"], ZoneInfo(spec.get("timeZone") or "UTC"), now, since)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        # The API server knows it, and that is who decides: the trigger works, and only this is not told.
        log.info("the next call cannot be told: %s", error)
        return None
