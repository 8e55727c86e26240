"""Taking away the payloads that no call needs any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from kubeless_controller.reconcile.child import Child, owned_by
from kubeless_controller.reconcile.cronjob_caches import CronJobCaches

Object = dict[str, Any]
Key = tuple[str, str]


class Payloads:
    """Deletes the ConfigMaps of a trigger that neither its CronJob nor a Job of it mounts.

    * One that is needed no more stays for ``grace`` seconds: a Job that is made at this moment may still mount it.
    """

    def __init__(
        self,
        caches: CronJobCaches,
        config_maps: Child,
        grace: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caches = caches
        self._config_maps = config_maps
        self._grace = grace
        self._clock = clock
        # uid -> when it was first seen to be needed by nothing.
        self._unused_since: dict[str, float] = {}
        caches.config_maps.on_change(self._forget_gone)

    def clear(self, key: Key, uid: str, cron_jobs: Iterable[Object]) -> float | None:
        """Do so for one trigger; returns the seconds after which to look again, None when nothing is left to do."""
        needed: set[str] = set()
        for cron_job in cron_jobs:
            template = cron_job["spec"]["jobTemplate"]["spec"]["template"]
            for volume in template["spec"].get("volumes") or []:
                needed.add((volume.get("configMap") or {}).get("name", ""))
        for job in self._caches.jobs.in_group(key):
            needed.update(job["configMaps"])
        waits: list[float] = []
        for config_map in self._caches.config_maps.in_group(key):
            metadata = config_map["metadata"]
            if metadata["name"] in needed:
                self._unused_since.pop(metadata["uid"], None)
            elif owned_by(config_map, uid) and not metadata.get("deletionTimestamp"):
                now = self._clock()
                since = self._unused_since.setdefault(metadata["uid"], now)
                if now - since < self._grace:
                    waits.append(since + self._grace - now)
                else:
                    self._config_maps.delete(config_map)
        return min(waits, default=None)

    def _forget_gone(self, obj: Object) -> None:
        metadata = obj["metadata"]
        if self._caches.config_maps.get(metadata["namespace"], metadata["name"]) is None:
            self._unused_since.pop(metadata["uid"], None)
