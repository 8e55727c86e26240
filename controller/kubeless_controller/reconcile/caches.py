"""What Functions stand on, as last seen; triggers look at the same Functions."""

from __future__ import annotations

from collections.abc import Callable, Collection
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
KAFKA_TRIGGERS = Resource(
    names.GROUP, names.VERSION, names.KAFKA_TRIGGER_PLURAL, names.KAFKA_TRIGGER_KIND
)
OWN = f"{names.LABEL_CREATED_BY}={names.CREATED_BY},{names.LABEL_FUNCTION}"


@dataclass(frozen=True)
class Caches:
    """The informers that Functions stand on.

    ``functions`` and ``kafka_triggers`` are in groups by namespace, under ``in_namespace``; ``cronjob_triggers`` by the
    Function they call. Of triggers they are all.
    """

    functions: Store
    cronjob_triggers: Store
    kafka_triggers: Store
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
        functions=informers.make(FUNCTIONS, group_of=_namespace_of),
        # A cluster that was given no definition of them has none. Functions make some, and look at their status.
        cronjob_triggers=informers.make(
            CRONJOB_TRIGGERS,
            trim=trim.child,
            group_of=called_function,
            optional=True,
        ),
        kafka_triggers=informers.make(
            KAFKA_TRIGGERS, trim=trim.child, group_of=_namespace_of, optional=True
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


def in_namespace(namespace: str) -> Key:
    """The group of all that is in a namespace."""
    return namespace, ""


def _namespace_of(obj: Object) -> Key:
    return in_namespace(obj["metadata"]["namespace"])


def owner_of(obj: Object, kinds: Collection[str]) -> Key:
    """The key of the trigger of one of these kinds whose object this is; its name is '' when it is nobody's.

    By its owner reference, or where something else made it (a Job, a pod) by what its template says.
    """
    metadata = obj["metadata"]
    for owner in metadata.get("ownerReferences") or []:
        group = str(owner.get("apiVersion", "")).partition("/")[0]
        if group == names.GROUP and owner.get("kind") in kinds:
            return metadata["namespace"], owner["name"]
    annotations = metadata.get("annotations") or {}
    return metadata["namespace"], annotations.get(names.ANNOTATION_TRIGGER, "")


def function_of(obj: Object) -> Key:
    """The key of the Function whose child this is, by its labels."""
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["labels"].get(names.LABEL_FUNCTION, "")
