"""One informer for each kind that is followed, over all namespaces or over some."""

from __future__ import annotations

from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.informer import Informer
from kubeless_kube.namespaced import NamespacedInformers, Store
from kubeless_kube.resources import Resource


class Informers:
    """Makes informers, not started, and knows all that it made; over all namespaces when none are named."""

    def __init__(self, client: Client, namespaces: tuple[str, ...] = ()) -> None:
        self._client = client
        self._namespaces = namespaces
        self._made: list[Store] = []

    def make(self, resource: Resource, **options: Any) -> Store:
        """An informer; options as of ``Informer``."""
        store: Store
        if not self._namespaces:
            store = Informer(self._client, resource, **options)
        else:
            store = NamespacedInformers(
                resource,
                {
                    name: Informer(self._client, resource, namespace=name, **options)
                    for name in self._namespaces
                },
            )
        self._made.append(store)
        return store

    def all(self) -> tuple[Store, ...]:
        """Every informer that was made."""
        return tuple(self._made)
