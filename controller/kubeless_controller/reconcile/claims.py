"""Who wants which host, kept from the changes that the informer tells."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import parse
from kubeless_controller.desired.claims import Claim, claim
from kubeless_controller.reconcile.caches import Key
from kubeless_controller.settings import HTTP


class Claims:
    """The claims of all triggers, found by host."""

    def __init__(self, settings: HTTP) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._hosts: dict[str, dict[Key, Claim]] = {}
        self._known: dict[Key, str] = {}

    def update(self, key: Key, obj: Mapping[str, Any] | None) -> list[Key]:
        """Take a trigger as it is now, None when it is gone; returns the others to whom that may matter."""
        found = self._read(obj)
        with self._lock:
            affected: set[Key] = set()
            before = self._known.pop(key, None)
            if before is not None:
                del self._hosts[before][key]
                affected.update(self._hosts[before])
                if not self._hosts[before]:
                    del self._hosts[before]
            if found is not None:
                here = self._hosts.setdefault(found.host, {})
                affected.update(here)
                here[key] = found
                self._known[key] = found.host
            affected.discard(key)
            return sorted(affected)

    def others(self, key: Key, host: str) -> list[Claim]:
        """The claims of other triggers on a host."""
        with self._lock:
            return [one for other, one in self._hosts.get(host, {}).items() if other != key]

    def _read(self, obj: Mapping[str, Any] | None) -> Claim | None:
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return None
        try:
            return claim(parse(obj), self._settings)
        except SpecError:
            return None
