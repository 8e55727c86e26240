"""What the controller follows: one informer for each kind, over all namespaces or over some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_controller.observed import trim
from kubeless_kube.client import Client
from kubeless_kube.informer import Informer
from kubeless_kube.namespaced import NamespacedInformers, Store
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
OWN = f"{names.LABEL_CREATED_BY}={names.CREATED_BY},{names.LABEL_FUNCTION}"


@dataclass(frozen=True)
class Caches:
    """The informers that Functions stand on."""

    functions: Store
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

    def all(self) -> tuple[Store, ...]:
        """Every informer."""
        return (self.functions, *self.children())


def caches(client: Client, namespaces: tuple[str, ...] = ()) -> Caches:
    """Informers, not started; over all namespaces when none are named."""

    def informer(resource: Resource, **options: Any) -> Store:
        if not namespaces:
            return Informer(client, resource, **options)
        return NamespacedInformers(
            resource,
            {name: Informer(client, resource, namespace=name, **options) for name in namespaces},
        )

    def own(resource: Resource, trimmed: Callable[[Object], Object], **options: Any) -> Store:
        return informer(resource, labels=OWN, trim=trimmed, group_of=function_of, **options)

    return Caches(
        functions=informer(FUNCTIONS),
        config_maps=own(CONFIGMAPS, trim.child, metadata_only=True),
        deployments=own(DEPLOYMENTS, trim.child),
        services=own(SERVICES, trim.child),
        autoscalers=own(AUTOSCALERS, trim.autoscaler),
        replica_sets=own(REPLICASETS, trim.replica_set),
        pods=own(PODS, trim.pod),
    )


def function_of(obj: Object) -> Key:
    """The key of the Function whose child this is, by its labels."""
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["labels"].get(names.LABEL_FUNCTION, "")
