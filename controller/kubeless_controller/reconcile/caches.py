"""What Functions stand on, as last seen; triggers look at the same Functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_api.cronjob_trigger import function_of as triggered_function
from kubeless_controller.observed import trim
from kubeless_controller.reconcile.informers import Informers
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import (
    AUTOSCALERS,
    CONFIGMAPS,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SERVICES,
    Resource,
)

Object = dict[str, Any]
Key = tuple[str, str]

FUNCTIONS = Resource(names.GROUP, names.VERSION, names.FUNCTION_PLURAL, names.FUNCTION_KIND)
CRONJOB_TRIGGERS = Resource(
    names.GROUP, names.VERSION, names.CRONJOB_TRIGGER_PLURAL, names.CRONJOB_TRIGGER_KIND
)
OWN = f"{names.LABEL_CREATED_BY}={names.CREATED_BY},{names.LABEL_FUNCTION}"


@dataclass(frozen=True)
class Caches:
    """The informers that Functions stand on; ``cronjob_triggers`` are all, in groups by the Function they call."""

    functions: Store
    cronjob_triggers: Store
    config_maps: Store
    deployments: Store
    services: Store
    autoscalers: Store
    replica_sets: Store
    pods: Store

    def children(self) -> tuple[Store, ...]:
        """Those of what Functions own, and of what that makes."""
        return (
            self.config_maps,
            self.deployments,
            self.services,
            self.autoscalers,
            self.replica_sets,
            self.pods,
        )


def caches(informers: Informers) -> Caches:
    """The informers of Functions and of what those own, not started."""

    def own(resource: Resource, trimmed: Callable[[Object], Object], **options: Any) -> Store:
        return informers.make(resource, labels=OWN, trim=trimmed, group_of=function_of, **options)

    return Caches(
        functions=informers.make(FUNCTIONS),
        # A cluster that was given no definition of them has none. Functions make some, and look at their status.
        cronjob_triggers=informers.make(
            CRONJOB_TRIGGERS,
            trim=trim.child,
            group_of=called_function,
            optional=True,
        ),
        config_maps=own(CONFIGMAPS, trim.child, metadata_only=True),
        deployments=own(DEPLOYMENTS, trim.child),
        services=own(SERVICES, trim.child),
        autoscalers=own(AUTOSCALERS, trim.autoscaler),
        replica_sets=own(REPLICASETS, trim.replica_set),
        pods=own(PODS, trim.pod),
    )


def called_function(trigger: Object) -> Key:
    """The key of the Function that a trigger calls."""
    return trigger["metadata"]["namespace"], triggered_function(trigger)


def function_of(obj: Object) -> Key:
    """The key of the Function whose child this is, by its labels."""
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["labels"].get(names.LABEL_FUNCTION, "")
