"""Having the kubelet bring a new configuration to the pods at once.

A mounted ConfigMap is renewed when the kubelet looks after its pod, about once
a minute; a change of the pod makes it look. The kubelet may not have seen the
new ConfigMap by then: it is told again while the pod says that it goes by
another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from kubeless_api import names
from kubeless_controller.reconcile.consumers import Consumers
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import PODS

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]


class Nudge:
    """Changes an annotation of pods that go by an older configuration, each not more often than ``period`` seconds."""

    def __init__(
        self,
        client: Client,
        pods: Store,
        consumers: Consumers,
        period: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._pods = pods
        self._consumers = consumers
        self._period = period
        self._clock = clock
        # uid -> when it was last told.
        self._told: dict[str, float] = {}
        pods.on_change(self._forget_gone)

    def behind(self, key: Key, config_hash: str) -> float | None:
        """Tell the pods of a trigger that are behind; returns when to look again, None when none is."""
        waits: list[float] = []
        for pod in self._pods.in_group(key):
            metadata = pod["metadata"]
            seen = self._consumers.of(pod)
            if (
                seen is None
                or seen.report is None
                or seen.report.config_hash == config_hash
                or metadata.get("deletionTimestamp")
            ):
                continue
            value = _next(
                (metadata.get("annotations") or {}).get(names.ANNOTATION_CONFIG, ""), config_hash
            )
            if seen.report.problem is not None and value != config_hash:
                # It was told, and says that it cannot go by it: the kubelet has done its part.
                continue
            now = self._clock()
            due = self._told.get(metadata["uid"], now - self._period) + self._period
            if now >= due or value == config_hash:
                self._told[metadata["uid"]] = now
                self._tell(metadata, value)
                due = now + self._period
            waits.append(due - now)
        return min(waits, default=None)

    def _tell(self, metadata: Object, value: str) -> None:
        change = {
            "metadata": {
                "uid": metadata["uid"],
                "annotations": {names.ANNOTATION_CONFIG: value},
            }
        }
        try:
            told = self._client.patch(
                PODS,
                metadata["namespace"],
                metadata["name"],
                change,
                manager=names.FIELD_MANAGER,
            )
        except ApiError as error:
            # It has gone, or an admission check refuses: without this the kubelet takes a minute.
            log.info("pod %s: not told of the configuration %s: %s", metadata["name"], value, error)
            return
        self._pods.remember(told)
        log.info("pod %s: the configuration %s is there", metadata["name"], value)

    def _forget_gone(self, obj: Object) -> None:
        metadata = obj["metadata"]
        if self._pods.get(metadata["namespace"], metadata["name"]) is None:
            self._told.pop(metadata["uid"], None)


def _next(value: str, config_hash: str) -> str:
    """A value that differs from the one that is there: the hash, and how often it was told beyond the first time."""
    found, _, times = value.partition(".")
    if found != config_hash:
        return config_hash
    return f"{config_hash}.{int(times) + 1 if times.isdigit() else 2}"
