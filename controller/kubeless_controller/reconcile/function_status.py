"""Writing a Function's status, and telling what is new in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kubeless_api import conditions, names
from kubeless_controller.desired.children import Children
from kubeless_controller.observed import rollout, status
from kubeless_controller.observed.autoscaling import autoscaled
from kubeless_controller.observed.transitions import transitions
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import FUNCTIONS, Caches
from kubeless_controller.reconcile.child import owned_by
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.events import EventRecorder
from kubeless_kube.namespaced import Store

log = logging.getLogger(__name__)

Object = dict[str, Any]


class FunctionStatus:
    """Puts a status together from what lives in the caches.

    * It is written once a pass, and only when it changed.
    * Events tell of transitions, once the status that has them is written.
    """

    def __init__(
        self,
        client: Client,
        caches: Caches,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._caches = caches
        self._events = events
        self._now = now

    def write(self, obj: Object, accepted: Verdict, wanted: Children | None) -> None:
        """Bring the status of a Function up to date. Raises Conflict when the Function changed meanwhile."""
        metadata = obj["metadata"]
        live = obj.get("status") or {}
        previous = live.get("conditions") or []
        generation = metadata.get("generation", 0)
        deployment = self._own(self._caches.deployments, obj, metadata["name"])
        verdicts = self._verdicts(obj, accepted, wanted, deployment)
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        fresh: Object = {
            "observedGeneration": generation,
            "conditions": status.conditions(verdicts, previous, generation, stamp),
            "replicas": ((deployment or {}).get("status") or {}).get("replicas", 0),
            "selector": names.selector(metadata["name"]),
        }
        if wanted is not None:
            fresh["url"] = wanted.url
            # None takes it out: an image of the user's own has no source that we know.
            fresh["sourceChecksum"] = wanted.source_checksum or None
        if not status.differs(fresh, live):
            return
        # Only onto what this pass has seen: what the answer brings is taken for known afterwards.
        seen = {key: metadata[key] for key in ("uid", "resourceVersion")}
        try:
            written = self._client.patch(
                FUNCTIONS,
                metadata["namespace"],
                metadata["name"],
                {"metadata": seen, "status": fresh},
                subresource="status",
                manager=names.FIELD_MANAGER,
            )
        except NotFound:
            return  # deleted meanwhile
        self._caches.functions.remember(written)
        ready = verdicts[conditions.READY]
        log.info("Ready=%s %s: %s", ready.ok, ready.reason, ready.message.partition("\n")[0])
        for news in transitions(verdicts, previous, wanted.alias if wanted else ""):
            self._events.record(obj, news.kind, news.reason, news.message)

    def _verdicts(
        self, obj: Object, accepted: Verdict, wanted: Children | None, deployment: Object | None
    ) -> dict[str, Verdict]:
        if accepted.ok:
            newest, pods = self._newest(deployment)
            ready = rollout.ready(deployment, pods, newest)
        else:
            ready = Verdict(False, accepted.reason, accepted.message)
        verdicts = {
            conditions.ACCEPTED: accepted,
            conditions.AVAILABLE: rollout.available(deployment),
            conditions.READY: ready,
        }
        if wanted is not None and wanted.autoscaler is not None:
            name = wanted.autoscaler["metadata"]["name"]
            live = self._own(self._caches.autoscalers, obj, name)
            verdicts[conditions.AUTOSCALED] = autoscaled(live)
        return verdicts

    def _own(self, store: Store, obj: Object, name: str) -> Object | None:
        """The child of this name, if it is this Function's."""
        metadata = obj["metadata"]
        child = store.get(metadata["namespace"], name)
        return child if child is not None and owned_by(child, metadata["uid"]) else None

    def _newest(self, deployment: Object | None) -> tuple[Object | None, list[Object]]:
        """The Deployment's newest ReplicaSet and its pods."""
        if deployment is None:
            return None, []
        key = (deployment["metadata"]["namespace"], deployment["metadata"]["name"])
        newest = rollout.newest_replica_set(deployment, self._caches.replica_sets.in_group(key))
        if newest is None:
            return None, []
        template = newest["metadata"]["labels"].get(rollout.POD_TEMPLATE_HASH)
        return newest, [
            pod
            for pod in self._caches.pods.in_group(key)
            if pod["metadata"]["labels"].get(rollout.POD_TEMPLATE_HASH) == template
        ]
