"""Taking away what a Function does not want any more: old sources, autoscalers of another name."""

from __future__ import annotations

from kubeless_api.function import Function
from kubeless_controller.desired.children import Children
from kubeless_controller.observed import rollout
from kubeless_controller.reconcile.caches import Caches
from kubeless_controller.reconcile.child import Child, owned_by


class Leftovers:
    """Deletes children that are the Function's own and that nothing needs.

    * A ConfigMap stays while a ReplicaSet mounts it: its pods may start again, and a roll-back finds it.
    """

    def __init__(self, caches: Caches, config_maps: Child, autoscalers: Child) -> None:
        self._caches = caches
        self._config_maps = config_maps
        self._autoscalers = autoscalers

    def autoscalers(self, function: Function, wanted: Children) -> None:
        """Delete the autoscalers that the Function does not name any more."""
        name = wanted.autoscaler["metadata"]["name"] if wanted.autoscaler else None
        for autoscaler in self._caches.autoscalers.in_group((function.namespace, function.name)):
            metadata = autoscaler["metadata"]
            if (
                metadata["name"] != name
                and owned_by(autoscaler, function.uid)
                and not metadata.get("deletionTimestamp")
            ):
                self._autoscalers.delete(autoscaler)

    def config_maps(self, function: Function, wanted: Children) -> None:
        """Delete the ConfigMaps of older sources that no ReplicaSet needs any more."""
        needed = {wanted.config_map["metadata"]["name"]} if wanted.config_map else set()
        key = (function.namespace, function.name)
        for replica_set in self._caches.replica_sets.in_group(key):
            needed.update(replica_set["configMaps"])
        for config_map in self._caches.config_maps.in_group(key):
            metadata = config_map["metadata"]
            if (
                metadata["name"] not in needed
                and owned_by(config_map, function.uid)
                and not metadata.get("deletionTimestamp")
                and self._is_settled(function)
            ):
                self._config_maps.delete(config_map)

    def _is_settled(self, function: Function) -> bool:
        """Say whether the Deployment's newest ReplicaSet is in the cache.

        Before, a ReplicaSet that was just made may need what none in the cache needs.
        """
        deployment = self._caches.deployments.get(function.namespace, function.name)
        if deployment is None:
            return False
        seen = (deployment.get("status") or {}).get("observedGeneration", 0)
        if seen < deployment["metadata"].get("generation", 0):
            return False
        sets = self._caches.replica_sets.in_group((function.namespace, function.name))
        return rollout.newest_replica_set(deployment, sets) is not None
