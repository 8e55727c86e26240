"""Which KafkaTriggers a change of a Function concerns."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api.errors import SpecError
from kubeless_api.kafka_trigger import labels_of, selector_of
from kubeless_api.label_selector import Selector
from kubeless_controller.reconcile.caches import in_namespace
from kubeless_kube.informer import key_of
from kubeless_kube.namespaced import Store

Object = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class _Known:
    """What of a Function concerns triggers: who it is, what it says, its labels, whether it goes."""

    uid: str
    generation: int
    labels: Mapping[str, str]
    going: bool


class Subscriptions:
    """Remembers the Functions as triggers see them: most changes of a Function are of its status, and concern none."""

    def __init__(self, functions: Store, triggers: Store) -> None:
        self._functions = functions
        self._triggers = triggers
        self._lock = threading.Lock()
        self._known: dict[Key, _Known] = {}
        # By the trigger's version: parsing is dearer than looking.
        self._selectors: dict[Key, tuple[str, Selector | None]] = {}
        triggers.on_change(self._forget_gone)

    def concerned(self, key: Key) -> list[Key]:
        """The triggers that select, or did select, the Function of this key, if it changed for them."""
        function = self._functions.get(*key)
        now = None if function is None else _known(function)
        with self._lock:
            before = self._known.get(key)
            if now == before:
                return []
            if now is None:
                del self._known[key]
            else:
                self._known[key] = now
        labels = [one.labels for one in (before, now) if one is not None]
        return [
            key_of(trigger)
            for trigger in self._triggers.in_group(in_namespace(key[0]))
            if (selector := self._selector(trigger)) is not None
            and any(selector.matches(one) for one in labels)
        ]

    def _selector(self, trigger: Object) -> Selector | None:
        """The trigger's selector; None for one that cannot be read."""
        key, version = key_of(trigger), trigger["metadata"]["resourceVersion"]
        with self._lock:
            known = self._selectors.get(key)
        if known is not None and known[0] == version:
            return known[1]
        try:
            found: Selector | None = selector_of(trigger)
        except SpecError:
            found = None
        with self._lock:
            self._selectors[key] = (version, found)
        return found

    def _forget_gone(self, obj: Object) -> None:
        key = key_of(obj)
        if self._triggers.get(*key) is None:
            with self._lock:
                self._selectors.pop(key, None)


def _known(function: Object) -> _Known:
    metadata = function["metadata"]
    return _Known(
        metadata["uid"],
        metadata.get("generation", 0),
        labels_of(function),
        bool(metadata.get("deletionTimestamp")),
    )
