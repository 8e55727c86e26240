"""Namespaces that tests use one after the other."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS, KAFKA_TRIGGERS
from kubeless_controller.reconcile.http_trigger import HTTP_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import (
    AUTOSCALERS,
    CONFIGMAPS,
    CRONJOBS,
    DEPLOYMENTS,
    EVENTS,
    HTTP_ROUTES,
    INGRESSES,
    JOBS,
    NAMESPACES,
    PODS,
    REPLICASETS,
    SERVICES,
    Resource,
)

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
# What controllers and commands may look for in all namespaces.
WATCHED = (FUNCTIONS, HTTP_TRIGGERS, CRONJOB_TRIGGERS, KAFKA_TRIGGERS, AUTOSCALERS, CONFIGMAPS)
# Owners come before what they own, so that nothing is made again.
ALL = (
    *WATCHED,
    *(CRONJOBS, JOBS, DEPLOYMENTS, REPLICASETS, PODS),
    *(INGRESSES, HTTP_ROUTES, SERVICES, QUOTAS, EVENTS),
)


def made(client: Client) -> str:
    """Make a namespace in which no controller works but those that are told to, or that work everywhere."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name}})
    return name


def emptied(client: Client, namespace: str, kinds: Iterable[Resource] = ALL) -> bool:
    """Delete what tests, and controllers, made in a namespace; says whether nothing was there.

    Some of it goes a moment later, when its finalizers are through.
    """
    empty = True
    for resource in kinds:
        try:
            found = client.list(resource, namespace, metadata_only=True)["items"]
        except NotFound:  # the cluster does not serve the kind, now
            continue
        if found:
            empty = False
            client.delete(resource, namespace, "")  # without a name, all of them
    return empty
