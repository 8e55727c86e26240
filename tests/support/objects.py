"""Objects that may or may not be there."""

from __future__ import annotations

from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import Resource

SECRETS = Resource("", "v1", "secrets", "Secret")


def find(
    client: Client, resource: Resource, namespace: str | None, name: str
) -> dict[str, Any] | None:
    """The object, or None when there is none."""
    try:
        return client.get(resource, namespace, name)
    except NotFound:
        return None


def exists(client: Client, resource: Resource, namespace: str | None, name: str) -> bool:
    """Say whether there is such an object."""
    return find(client, resource, namespace, name) is not None


def gone(client: Client, resource: Resource, namespace: str | None, name: str) -> bool:
    """Say whether there is no such object."""
    return not exists(client, resource, namespace, name)
