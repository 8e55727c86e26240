"""The CronJob of a trigger: under which name it is, and that there is one only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeless_api import names
from kubeless_api.cronjob_trigger import CronJobTrigger
from kubeless_controller.desired import cronjob_name
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS
from kubeless_controller.reconcile.child import Child, LeftBehind, NotOurs, owned_by
from kubeless_controller.reconcile.cronjob_caches import cronjob_trigger_of
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import CRONJOBS

Object = dict[str, Any]
Key = tuple[str, str]


class CronJobChild:
    """Keeps the CronJob of each trigger.

    * The first trigger of a function has the name that the original gave; others have one of their own.
    * A name that was chosen stays, for as long as the trigger calls the same function.
    * CronJobs of another name go before one is made: no two of a trigger ever fire.
    """

    def __init__(self, client: Client, cron_jobs: Store) -> None:
        self._client = client
        self._store = cron_jobs
        self._child = Child(client, CRONJOBS, cron_jobs)

    def ensure(self, trigger: CronJobTrigger, build: Callable[[str], Object]) -> Object:
        """Make the CronJob as ``build`` has it for a name, and return it as it is now.

        Raises NotOurs, StillThere, LeftBehind, and what the client raises.
        """
        first = cronjob_name.first(trigger.function)
        second = cronjob_name.second(trigger.function, trigger.name)
        owned = {cron_job["metadata"]["name"] for cron_job in self.of(trigger)}
        chosen = second if second in owned and first not in owned else first
        self.remove(trigger, but=chosen)
        try:
            return self._child.ensure(build(chosen))
        except NotOurs as error:
            if chosen == second or not self._is_anothers(error.live):
                raise NotOurs(
                    CRONJOBS,
                    error.live,
                    trigger.kind,
                    "delete it, or make it again under another name",
                ) from error
        return self._child.ensure(build(second))

    def of(self, owner: CronJobTrigger | Object) -> list[Object]:
        """The CronJobs of a trigger, as parsed or as it is; of several, those that were not deleted yet."""
        namespace, name, uid = _identity(owner)
        return [
            cron_job
            for cron_job in self._store.in_group((namespace, name))
            if owned_by(cron_job, uid)
        ]

    def remove(self, owner: CronJobTrigger | Object, *, but: str = "") -> None:
        """Delete the CronJobs of a trigger, all but the one of this name."""
        for cron_job in self.of(owner):
            metadata = cron_job["metadata"]
            if metadata["name"] != but and not metadata.get("deletionTimestamp"):
                self._child.delete(cron_job)

    def remove_orphans(self, key: Key, uid: str) -> None:
        """Delete what the original made for a trigger of this name that is gone; ``uid`` is the present one's, if any.

        The cluster's collector never would: it does not know the kind that the original wrote as their owner.
        """
        for cron_job in self._store.in_group(key):
            metadata = cron_job["metadata"]
            legacy = any(
                owner.get("kind") == names.LEGACY_TRIGGER_KIND
                for owner in metadata.get("ownerReferences") or []
            )
            if legacy and not owned_by(cron_job, uid) and (uid or self._is_gone(key)):
                self._child.delete(cron_job)

    def _is_gone(self, key: Key) -> bool:
        try:
            self._client.get(CRONJOB_TRIGGERS, *key)
        except NotFound as error:
            # Without such a kind nothing is known of its objects.
            return not error.no_such_kind
        return False

    def _is_anothers(self, live: Object) -> bool:
        """Say whether a CronJob is that of another trigger, one that is there.

        Raises LeftBehind when that trigger is gone: nobody else may ever take its CronJob away, since the
        cluster's collector does not know the kind that the original wrote as its owner.
        """
        namespace, name = cronjob_trigger_of(live)
        if not name:
            return False
        try:
            uid = self._client.get(CRONJOB_TRIGGERS, namespace, name)["metadata"]["uid"]
        except NotFound:
            uid = ""
        if not owned_by(live, uid):
            raise LeftBehind(CRONJOBS, live, names.CRONJOB_TRIGGER_KIND)
        return True


def _identity(owner: CronJobTrigger | Object) -> tuple[str, str, str]:
    if isinstance(owner, CronJobTrigger):
        return owner.namespace, owner.name, owner.uid
    metadata = owner["metadata"]
    return metadata["namespace"], metadata["name"], metadata["uid"]
