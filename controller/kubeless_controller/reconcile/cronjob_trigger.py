"""A CronJobTrigger: from its spec to its CronJob, and from the Jobs of that to its status."""

from __future__ import annotations

from typing import Any

from kubeless_api import conditions
from kubeless_api.cronjob_trigger import CronJobTrigger, parse
from kubeless_api.errors import SpecError
from kubeless_api.function import parse as parse_function
from kubeless_controller.desired import cronjob, payload
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS, Caches, Key
from kubeless_controller.reconcile.child import Child
from kubeless_controller.reconcile.cronjob_caches import CronJobCaches
from kubeless_controller.reconcile.cronjob_child import CronJobChild
from kubeless_controller.reconcile.cronjob_status import CronJobStatus
from kubeless_controller.reconcile.owner import carry_out, readable, release
from kubeless_controller.reconcile.payloads import Payloads
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.errors import Invalid, NotFound
from kubeless_kube.events import EventRecorder
from kubeless_kube.resources import CONFIGMAPS

Object = dict[str, Any]

# Fields that only the API server can judge: the reason when it refuses one, and what to do.
_JUDGED = {
    "spec.schedule": (
        conditions.INVALID_SCHEDULE,
        (
            "each field must be within its limits: minute 0-59, hour 0-23, day of month 1-31, month 1-12 or jan-dec, "
            "day of week 0-6 or sun-sat"
        ),
    ),
    "spec.timeZone": (
        conditions.INVALID_TIME_ZONE,
        "write the IANA name of a time zone, like 'Europe/Berlin' or 'Etc/UTC'",
    ),
}


class CronJobTriggerReconciler:
    """Brings one CronJobTrigger at a time to where its spec says.

    * A spec that cannot be built leaves the CronJob that is there alone and says so in Accepted.
    * Without its Function it has no CronJob, and waits for it.
    """

    def __init__(
        self,
        client: Client,
        world: Caches,
        caches: CronJobCaches,
        settings: Settings,
        events: EventRecorder,
    ) -> None:
        self._client = client
        self._world = world
        self._settings = settings
        self._cron_jobs = CronJobChild(client, caches.cron_jobs)
        # Immutable, and named by its content: what is in it need not be read.
        self._config_maps = Child(client, CONFIGMAPS, caches.config_maps, compared=("metadata",))
        self._payloads = Payloads(caches, self._config_maps, settings.pace.payload_grace)
        writer = StatusWriter(client, world.cronjob_triggers, events)
        self._status = CronJobStatus(caches, writer, events)

    def reconcile(self, key: Key) -> float | None:
        """Bring the trigger up to date; returns the seconds after which to look again, or None.

        Raises ApiError or Unreachable when trying again may help.
        """
        obj = self._world.cronjob_triggers.get(*key)
        self._cron_jobs.remove_orphans(key, "" if obj is None else obj["metadata"]["uid"])
        if obj is None:
            return None  # what it had goes by its owner references
        if obj["metadata"].get("deletionTimestamp"):
            self._cron_jobs.remove(obj)
            release(self._client, CRONJOB_TRIGGERS, obj)
            return None
        if release(self._client, CRONJOB_TRIGGERS, obj):
            return None
        outcome = carry_out(
            self._client, CRONJOB_TRIGGERS, obj, lambda: self._work(obj), self._settings.pace
        )
        looks = [outcome.recheck]
        if outcome.accepted is not None:
            # What was deleted a moment ago may still be in the cache.
            removed = outcome.accepted.reason == conditions.FUNCTION_NOT_FOUND
            live = [] if removed else self._live(obj)
            looks.append(self._payloads.clear(key, obj["metadata"]["uid"], live))
            looks.append(self._status.write(obj, outcome.accepted, live[0] if live else None))
        return min((seconds for seconds in looks if seconds is not None), default=None)

    def _work(self, obj: Object) -> Verdict:
        trigger = readable(lambda: parse(obj))
        function = self._function(trigger)
        if function is None:
            self._cron_jobs.remove(trigger)
            raise SpecError(
                conditions.FUNCTION_NOT_FOUND,
                f"spec.function-name: there is no Function {trigger.function!r} in this namespace; it is called as "
                "soon as there is one",
            )
        callee = _callee(trigger, function)
        config_map = readable(lambda: payload.build(trigger))
        if config_map is not None:
            self._config_maps.ensure(config_map)
        carrier = "" if config_map is None else config_map["metadata"]["name"]
        try:
            self._cron_jobs.ensure(
                trigger,
                lambda name: cronjob.build(trigger, callee, name, carrier, self._settings),
            )
        except Invalid as error:
            told = _judged(trigger, error)
            if told is None:
                raise
            raise told from error
        return Verdict(True, conditions.VALID, "the CronJob can be built")

    def _function(self, trigger: CronJobTrigger) -> Object | None:
        """The Function that is called; None when there is none."""
        found = self._world.functions.get(trigger.namespace, trigger.function)
        if found is None:
            # The trigger may have been seen before the Function that was made with it.
            try:
                found = self._client.get(FUNCTIONS, trigger.namespace, trigger.function)
            except NotFound:
                return None
        return None if found["metadata"].get("deletionTimestamp") else found

    def _live(self, obj: Object) -> list[Object]:
        """The CronJobs that the trigger has now, the one that is not on its way out first."""
        found = [
            cron_job
            for cron_job in self._cron_jobs.of(obj)
            if not cron_job["metadata"].get("deletionTimestamp")
        ]
        return sorted(found, key=lambda one: one["metadata"]["creationTimestamp"], reverse=True)


def _callee(trigger: CronJobTrigger, function: Object) -> cronjob.Callee:
    try:
        return readable(lambda: cronjob.callee_of(parse_function(function)))
    except SpecError as error:
        raise SpecError(
            conditions.FUNCTION_INVALID,
            f"spec.function-name: the Function {trigger.function!r} cannot be built; mend it: {error.message}",
        ) from error


def _judged(trigger: CronJobTrigger, error: Invalid) -> SpecError | None:
    """What the API server said of a field that the user wrote; None when it is another's."""
    written = {"spec.schedule": trigger.schedule, "spec.timeZone": trigger.time_zone}
    for cause in error.details.get("causes") or []:
        field = cause.get("field", "")
        if field in _JUDGED:
            reason, advice = _JUDGED[field]
            return SpecError(
                reason,
                f"{field}: found {written[field]!r}, which the API server refuses: "
                f"{cause.get('message', '')}; {advice}",
            )
    return None
