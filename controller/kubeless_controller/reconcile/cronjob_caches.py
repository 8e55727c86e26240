"""What CronJobTriggers stand on besides Functions, as last seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_controller.observed import trim
from kubeless_controller.reconcile.caches import owner_of
from kubeless_controller.reconcile.informers import Informers
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import CONFIGMAPS, CRONJOBS, JOBS, PODS

Object = dict[str, Any]
Key = tuple[str, str]

OWN = f"{names.LABEL_TRIGGER}={names.CRONJOB_TRIGGER}"
_KINDS = (names.CRONJOB_TRIGGER_KIND, names.LEGACY_TRIGGER_KIND)


@dataclass(frozen=True)
class CronJobCaches:
    """The informers of what triggers own, and of what that makes; in groups by trigger."""

    cron_jobs: Store
    config_maps: Store
    jobs: Store
    pods: Store

    def children(self) -> tuple[Store, ...]:
        """All of them."""
        return self.cron_jobs, self.config_maps, self.jobs, self.pods


def cronjob_caches(informers: Informers) -> CronJobCaches:
    """The informers, not started."""
    return CronJobCaches(
        # All of them: those that the original made have no label of ours, and must not fire beside ours.
        cron_jobs=informers.make(CRONJOBS, trim=trim.cron_job, group_of=cronjob_trigger_of),
        config_maps=informers.make(
            CONFIGMAPS, labels=OWN, trim=trim.child, group_of=cronjob_trigger_of, metadata_only=True
        ),
        jobs=informers.make(JOBS, labels=OWN, trim=trim.job, group_of=cronjob_trigger_of),
        pods=informers.make(PODS, labels=OWN, trim=trim.pod, group_of=cronjob_trigger_of),
    )


def cronjob_trigger_of(obj: Object) -> Key:
    """The key of the CronJobTrigger whose object this is; its name is '' when it is nobody's."""
    return owner_of(obj, _KINDS)
