"""The informers of some namespaces, seen as one.

A controller that may read only some namespaces cannot watch all at once: it
has one informer for each, with a Role in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from kubeless_kube.client import Object
from kubeless_kube.informer import Handler, Informer, Key
from kubeless_kube.resources import Resource


class Store(Protocol):
    """What reconcilers see of an informer, or of several; the methods are ``Informer``'s."""

    resource: Resource

    def on_change(self, handler: Handler, *, writes: bool = False) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wait_until_synced(self, seconds: float) -> bool: ...
    def get(self, namespace: str, name: str) -> Object | None: ...
    def in_group(self, group: Key) -> list[Object]: ...
    def all(self) -> list[Object]: ...
    def remember(self, obj: Object) -> None: ...


class NamespacedInformers:
    """One informer for each namespace.

    * A namespace that is not followed has no objects.
    * It is synced when all are.
    """

    def __init__(self, resource: Resource, informers: Mapping[str, Informer]) -> None:
        self.resource = resource
        self._informers = dict(informers)

    def on_change(self, handler: Handler, *, writes: bool = False) -> None:
        """As of an informer."""
        for informer in self._informers.values():
            informer.on_change(handler, writes=writes)

    def start(self) -> None:
        """Start them all."""
        for informer in self._informers.values():
            informer.start()

    def stop(self) -> None:
        """Stop them all."""
        for informer in self._informers.values():
            informer.stop()

    def wait_until_synced(self, seconds: float) -> bool:
        """Wait for them all, for at most ``seconds`` each; says whether they are."""
        return all(informer.wait_until_synced(seconds) for informer in self._informers.values())

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last seen, or None."""
        informer = self._informers.get(namespace)
        return None if informer is None else informer.get(namespace, name)

    def in_group(self, group: Key) -> list[Object]:
        """The objects of one group, whose key begins with its namespace."""
        informer = self._informers.get(group[0])
        return [] if informer is None else informer.in_group(group)

    def all(self) -> list[Object]:
        """Every object."""
        return [obj for informer in self._informers.values() for obj in informer.all()]

    def remember(self, obj: Object) -> None:
        """Take what a write returned."""
        informer = self._informers.get(obj["metadata"].get("namespace", ""))
        if informer is not None:
            informer.remember(obj)
