"""A copy of a collection, kept up to date by a watch.

The model is client-go's reflector and shared informer: list once, watch from
there, and list again only when the server no longer knows where we were.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kubeless_kube.backoff import Backoff
from kubeless_kube.client import Client, Object
from kubeless_kube.errors import ApiError, Gone, NotFound, Unreachable
from kubeless_kube.resources import Resource

log = logging.getLogger(__name__)

Key = tuple[str, str]
Handler = Callable[[Object], None]

# A watch that lasted this long was healthy: what follows it is a first failure again.
HEALTHY_SECONDS = 10.0
# Ends of objects that are remembered: more than writes can be on their way at once.
GONE_REMEMBERED = 4096
# A kind that the cluster does not serve may be installed later.
UNSERVED_SECONDS = 30.0


def key_of(obj: Object) -> Key:
    """(namespace, name); the namespace is '' for an object that has none."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Informer:
    """One collection, in memory.

    * ``synced`` is set once everything that was there at the start is in the store.
    * Every change calls the handlers: with the new object, or with the last
      known one when it is gone, also when it went while nobody watched.
    * An object that moves from one group to another is told to the handlers under both.
    * What a write returned is taken (``remember``) unless the object is known to be gone; the event that
      follows it tells nobody, since it brings nothing new.
    * A failure never ends it: it goes on where it was, after a back-off with
      jitter; after 410 Gone it lists again.
    * Objects in the store are shared: nobody may change them.

    ``trim`` cuts an object down to what is needed before it is kept;
    ``group_of`` puts it into a group whose members are found without a search. One that is ``optional`` is
    empty, and synced, while the cluster does not serve its kind, and asks again every 30 seconds.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        namespace: str | None = None,
        labels: str = "",
        metadata_only: bool = False,
        trim: Callable[[Object], Object] | None = None,
        group_of: Callable[[Object], Key] | None = None,
        optional: bool = False,
    ) -> None:
        self.resource = resource
        self._optional = optional
        self.synced = threading.Event()
        self._client = client
        self._namespace = namespace
        self._labels = labels
        self._metadata_only = metadata_only
        self._trim = trim or without_managed_fields
        self._group_of = group_of or key_of
        self._handlers: list[Handler] = []
        self._write_handlers: list[Handler] = []
        self._lock = threading.Lock()
        self._objects: dict[Key, Object] = {}
        self._groups: dict[Key, set[Key]] = {}
        self._stopped = threading.Event()
        # A write was answered: the cluster serves the kind.
        self._served = threading.Event()
        self._version = ""
        # Versions at which objects went, newest last: a write's answer may arrive after its object's end.
        self._gone: OrderedDict[Key, int] = OrderedDict()
        # What was there at this version was in the list; anything older that was not, is gone.
        self._listed_at = 0
        self._thread = threading.Thread(
            target=self._run, name=f"informer-{resource.plural}", daemon=True
        )

    def on_change(self, handler: Handler, *, writes: bool = False) -> None:
        """Have ``handler`` called on every change, from the informer's thread; it must not block.

        With ``writes`` also on what a write returned, from the writer's: for those that did not write it.
        """
        self._handlers.append(handler)
        if writes:
            self._write_handlers.append(handler)

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End at the next event or time-out; the thread is a daemon and need not be waited for."""
        self._stopped.set()
        self._served.set()

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last seen, or None."""
        with self._lock:
            return self._objects.get((namespace, name))

    def wait_until_synced(self, seconds: float) -> bool:
        """Wait until ``synced`` is set, for at most ``seconds``; says whether it is."""
        return self.synced.wait(seconds)

    def all(self) -> list[Object]:
        """Every object, as last seen."""
        with self._lock:
            return list(self._objects.values())

    def in_group(self, group: Key) -> list[Object]:
        """The objects of one group, as last seen."""
        with self._lock:
            return [self._objects[key] for key in self._groups.get(group, ())]

    def remember(self, obj: Object) -> None:
        """Take what a write returned, so that the next look does not see the time before it."""
        self._served.set()
        trimmed = self._trim(obj)
        key, version = key_of(trimmed), _version(trimmed)
        with self._lock:
            known = self._objects.get(key)
            if known is None:
                news = version > max(self._listed_at, self._gone.get(key, 0))
            else:
                news = _version(known) < version
            if news:
                self._put(trimmed)
        if news:
            for handler in self._write_handlers:
                handler(trimmed)

    def _run(self) -> None:
        backoff = Backoff(0.1, 30.0)
        while not self._stopped.is_set():
            started = time.monotonic()
            try:
                if not self._version:
                    self._list()
                self._watch()
            except Gone:
                log.info("%s: too far behind the server, listing again", self.resource.plural)
                self._version = ""
            except (ApiError, Unreachable) as error:
                if self._optional and isinstance(error, NotFound):
                    self._unserved()
                else:
                    log.warning("%s: %s", self.resource.plural, error)
            except Exception:
                # Whatever the server sent, the copy must not silently stop following.
                log.exception("%s: the informer failed, listing again", self.resource.plural)
                self._version = ""
            if time.monotonic() - started > HEALTHY_SECONDS:
                backoff.reset()
            # Also after an end in good order: a server that closes at once must not be asked at once.
            self._stopped.wait(backoff.next())

    def _unserved(self) -> None:
        """The cluster has no such kind (any more): nothing is there, and it is asked again later."""
        with self._lock:
            known, self._objects, self._groups = self._objects, {}, {}
        self._version = ""
        for obj in known.values():
            self._notify(obj)
        self.synced.set()
        self._served.wait(UNSERVED_SECONDS)
        self._served.clear()

    def _list(self) -> None:
        # From the server's cache first: a fleet of controllers that restarts must not weigh on etcd.
        answer = self._client.list(
            self.resource,
            self._namespace,
            labels=self._labels,
            resource_version="0" if not self.synced.is_set() else "",
            metadata_only=self._metadata_only,
        )
        fresh: dict[Key, Object] = {}
        for item in answer["items"]:
            # Items of a list come without their kind.
            item.setdefault("apiVersion", self.resource.api_version)
            item.setdefault("kind", self.resource.kind)
            trimmed = self._trim(item)
            fresh[key_of(trimmed)] = trimmed
        with self._lock:
            known, self._objects, self._groups = self._objects, {}, {}
            for obj in fresh.values():
                self._put(obj)
            self._listed_at = int(answer["metadata"]["resourceVersion"])
            self._gone.clear()
        self._version = answer["metadata"]["resourceVersion"]
        for key, obj in known.items():
            if key not in fresh:
                self._notify(obj)
        for key, obj in fresh.items():
            before = known.get(key)
            if before is None or _version(before) != _version(obj):
                self._notify(obj)
        self.synced.set()

    def _watch(self) -> None:
        events = self._client.watch(
            self.resource,
            self._namespace,
            resource_version=self._version,
            labels=self._labels,
            metadata_only=self._metadata_only,
        )
        for event in events:
            if self._stopped.is_set():
                return
            self._take(event)

    def _take(self, event: Object) -> None:
        obj = event["object"]
        if event["type"] != "BOOKMARK":
            trimmed = self._trim(obj)
            known, news = self._store(trimmed, gone=event["type"] == "DELETED")
            if news:
                if known is not None and self._group_of(known) != self._group_of(trimmed):
                    self._notify(known)
                self._notify(trimmed)
        self._version = obj["metadata"]["resourceVersion"]

    def _store(self, obj: Object, *, gone: bool) -> tuple[Object | None, bool]:
        """Keep what an event brought; what was known before, and whether the event is news.

        The echo of a write whose answer was taken is none: whoever wrote has seen it.
        """
        key = key_of(obj)
        with self._lock:
            known = self._objects.get(key)
            if gone:
                self._drop(key)
                self._bury(key, _version(obj))
                return known, True
            if known is not None and _version(known) >= _version(obj):
                return known, False
            self._put(obj)
            return known, True

    def _put(self, obj: Object) -> None:
        key = key_of(obj)
        self._drop(key)
        self._objects[key] = obj
        self._groups.setdefault(self._group_of(obj), set()).add(key)

    def _drop(self, key: Key) -> None:
        known = self._objects.pop(key, None)
        if known is None:
            return
        group = self._group_of(known)
        members = self._groups[group]
        members.discard(key)
        if not members:
            del self._groups[group]

    def _bury(self, key: Key, version: int) -> None:
        self._gone[key] = version
        self._gone.move_to_end(key)
        while len(self._gone) > GONE_REMEMBERED:
            self._gone.popitem(last=False)

    def _notify(self, obj: Object) -> None:
        for handler in self._handlers:
            handler(obj)


def without_managed_fields(obj: Object) -> Object:
    """The object without managedFields, which can be half of its size."""
    obj["metadata"].pop("managedFields", None)
    return obj


def _version(obj: dict[str, Any]) -> int:
    # Resource versions of one resource are decimal numbers that grow (Kubernetes 1.35 says so; all before did so).
    return int(obj["metadata"]["resourceVersion"])
