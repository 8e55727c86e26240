"""A Function's status, put together from what lives in the caches."""

from __future__ import annotations

from typing import Any

from kubeless_api import conditions, names
from kubeless_controller.desired.children import Children
from kubeless_controller.observed import rollout
from kubeless_controller.observed.autoscaling import autoscaled
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import Caches
from kubeless_controller.reconcile.child import owned_by
from kubeless_controller.reconcile.kept_triggers import Kept, condition_of
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_kube.namespaced import Store

Object = dict[str, Any]


class FunctionStatus:
    """Puts a Function's status together and has it written."""

    def __init__(self, caches: Caches, writer: StatusWriter) -> None:
        self._caches = caches
        self._writer = writer

    def write(
        self,
        obj: Object,
        accepted: Verdict,
        wanted: Children | None,
        kept: Kept | None = None,
    ) -> None:
        """Bring the status of a Function up to date; ``kept`` is what its own trigger says.

        Raises Conflict when the Function changed meanwhile.
        """
        name = obj["metadata"]["name"]
        deployment = self._own(self._caches.deployments, obj, name)
        fresh: Object = {
            "replicas": ((deployment or {}).get("status") or {}).get("replicas", 0),
            "selector": names.selector(name),
        }
        if wanted is not None:
            fresh["url"] = wanted.url
            # None takes it out: an image of the user's own has no source that we know.
            fresh["sourceChecksum"] = wanted.source_checksum or None
        verdicts = self._verdicts(obj, accepted, wanted, deployment)
        if wanted is not None and wanted.trigger is not None:
            waits = Verdict(
                False, conditions.PROGRESSING, "the function's other objects come first"
            )
            verdicts[condition_of(wanted.trigger)] = kept.verdict if kept else waits
        self._writer.write(obj, verdicts, fresh, alias=wanted.alias if wanted else "")

    def _verdicts(
        self, obj: Object, accepted: Verdict, wanted: Children | None, deployment: Object | None
    ) -> dict[str, Verdict]:
        if accepted.ok:
            key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
            newest, pods = rollout.newest_pods(
                deployment,
                self._caches.replica_sets.in_group(key),
                self._caches.pods.in_group(key),
            )
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
