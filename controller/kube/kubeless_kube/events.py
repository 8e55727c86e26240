"""Events: what happened to an object, for `kubectl describe` and for whoever collects them.

The limits are those of client-go's event correlator: an object that changes
its mind all the time must not fill etcd.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Fenced, NotFound, Unreachable
from kubeless_kube.resources import EVENTS

log = logging.getLogger(__name__)

Object = dict[str, Any]
Kind = Literal["Normal", "Warning"]

# The API server refuses longer ones.
MAX_MESSAGE = 1024
# The same event again within this time is counted up.
SAME_SECONDS = 600.0
# An object may have this many at once, and then one more in each of these times.
BURST = 25
REFILL_SECONDS = 300.0
# Events that wait for the API server, and objects and events that are remembered.
WAITING = 1000
REMEMBERED = 4096


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


@dataclass
class _Written:
    name: str
    count: int
    at: float


class EventRecorder:
    """Writes events in a thread of its own.

    * ``record`` never blocks and never raises: what cannot be written is dropped, and counted by ``on_drop``.
    * The same event of an object within ten minutes is counted up, not written anew.
    * An object gets a burst of 25 events, then one in five minutes.
    """

    def __init__(
        self,
        client: Client,
        component: str,
        instance: str,
        *,
        on_drop: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._component = component
        self._instance = instance
        self._on_drop = on_drop
        self._clock = clock
        self._queue: queue.Queue[Object | None] = queue.Queue(WAITING)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._written: OrderedDict[tuple[str, str, str, str], _Written] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Write what waits, for at most ``seconds``."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def record(self, obj: Object, kind: Kind, reason: str, message: str) -> None:
        """Say what happened to an object; ``reason`` in CamelCase, ``message`` for a person."""
        metadata = obj["metadata"]
        event: Object = {
            "involvedObject": {
                "apiVersion": obj["apiVersion"],
                "kind": obj["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "type": kind,
            "reason": reason,
            "message": _one_line(message),
        }
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._on_drop()

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._write(event)
            except (ApiError, Unreachable, Fenced) as error:
                # A namespace that ends takes no new objects: nobody would read it anyway.
                log.info("an event was dropped: %s", error)
                self._on_drop()
            except Exception:
                log.exception("an event was dropped")
                self._on_drop()

    def _write(self, event: Object) -> None:
        involved = event["involvedObject"]
        key = (involved["uid"], event["type"], event["reason"], event["message"])
        now, stamp = self._clock(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        before = self._written.get(key)
        if before is not None and now - before.at < SAME_SECONDS:
            if not self._may(involved["uid"], now):
                return
            try:
                self._client.patch(
                    EVENTS,
                    involved["namespace"],
                    before.name,
                    {"count": before.count + 1, "lastTimestamp": stamp},
                )
            except NotFound:
                pass  # it expired
            else:
                before.count, before.at = before.count + 1, now
                return
        elif not self._may(involved["uid"], now):
            return
        name = f"{involved['name'][:200]}.{uuid.uuid4().hex[:16]}"
        self._client.create(
            EVENTS,
            {
                "apiVersion": EVENTS.api_version,
                "kind": EVENTS.kind,
                "metadata": {"namespace": involved["namespace"], "name": name},
                **event,
                "source": {"component": self._component},
                "reportingComponent": self._component,
                "reportingInstance": self._instance,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
                "count": 1,
            },
        )
        self._written[key] = _Written(name, 1, now)
        _bound(self._written)

    def _may(self, uid: str, now: float) -> bool:
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        self._buckets.move_to_end(uid)
        _bound(self._buckets)
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.filled_at) / REFILL_SECONDS)
        bucket.filled_at = now
        if bucket.tokens < 1:
            self._on_drop()
            return False
        bucket.tokens -= 1
        return True


def _bound(known: OrderedDict[Any, Any]) -> None:
    while len(known) > REMEMBERED:
        known.popitem(last=False)


def _one_line(message: str) -> str:
    """Its lines as one, of at most 1,024 bytes in whole characters: `kubectl describe` has a table of them."""
    message = " | ".join(line.strip() for line in message.splitlines() if line.strip())
    data = message.encode()
    if len(data) <= MAX_MESSAGE:
        return message
    return data[: MAX_MESSAGE - 3].decode(errors="ignore") + "..."
