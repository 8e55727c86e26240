"""What KafkaTriggers stand on besides Functions, as last seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_controller.observed import trim
from kubeless_controller.reconcile.caches import owner_of
from kubeless_controller.reconcile.informers import Informers
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, PODS, REPLICASETS

Object = dict[str, Any]
Key = tuple[str, str]

OWN = f"{names.LABEL_TRIGGER}={names.KAFKA_TRIGGER}"


@dataclass(frozen=True)
class KafkaCaches:
    """The informers of what triggers own, and of what that makes; in groups by trigger."""

    config_maps: Store
    deployments: Store
    replica_sets: Store
    pods: Store

    def children(self) -> tuple[Store, ...]:
        """All of them."""
        return self.config_maps, self.deployments, self.replica_sets, self.pods


def kafka_caches(informers: Informers) -> KafkaCaches:
    """The informers, not started."""

    def own(resource: Any, trimmed: Any) -> Store:
        return informers.make(resource, labels=OWN, trim=trimmed, group_of=kafka_trigger_of)

    return KafkaCaches(
        config_maps=own(CONFIGMAPS, trim.child),
        deployments=own(DEPLOYMENTS, trim.child),
        replica_sets=own(REPLICASETS, trim.replica_set),
        pods=own(PODS, trim.consumer_pod),
    )


def kafka_trigger_of(obj: Object) -> Key:
    """The key of the KafkaTrigger whose object this is; its name is '' when it is nobody's."""
    return owner_of(obj, (names.KAFKA_TRIGGER_KIND,))
