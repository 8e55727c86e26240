"""Writing a status only when it changed, and telling what is new in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from kubeless_api import conditions, names
from kubeless_controller.observed import status
from kubeless_controller.observed.transitions import transitions
from kubeless_controller.observed.verdict import Verdict
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.events import EventRecorder
from kubeless_kube.namespaced import Store

log = logging.getLogger(__name__)

Object = dict[str, Any]


class StatusWriter:
    """Writes the statuses of one kind.

    * A status is written once a pass, and only when it changed.
    * Events tell of transitions, once the status that has them is written.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        events: EventRecorder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._store = store
        self._events = events
        self._now = now

    def write(
        self,
        obj: Object,
        verdicts: Mapping[str, Verdict],
        fields: Mapping[str, Any],
        *,
        alias: str = "",
    ) -> bool:
        """Bring the status of ``obj`` up to date; says whether that took a write.

        ``fields`` go beside the conditions; one that is None is taken out. Raises Conflict when the object
        changed meanwhile.
        """
        metadata = obj["metadata"]
        live = obj.get("status") or {}
        previous = live.get("conditions") or []
        generation = metadata.get("generation", 0)
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        fresh: Object = {
            "observedGeneration": generation,
            "conditions": status.conditions(verdicts, previous, generation, stamp),
            **fields,
        }
        if not status.differs(fresh, live):
            return False
        # Only onto what this pass has seen: what the answer brings is taken for known afterwards.
        seen = {key: metadata[key] for key in ("uid", "resourceVersion")}
        try:
            written = self._client.patch(
                self._store.resource,
                metadata["namespace"],
                metadata["name"],
                {"metadata": seen, "status": fresh},
                subresource="status",
                manager=names.FIELD_MANAGER,
            )
        except NotFound:
            return False  # deleted meanwhile
        self._store.remember(written)
        ready = verdicts[conditions.READY]
        log.info("Ready=%s %s: %s", ready.ok, ready.reason, ready.message.partition("\n")[0])
        for news in transitions(verdicts, previous, alias):
            self._events.record(obj, news.kind, news.reason, news.message)
        return True
