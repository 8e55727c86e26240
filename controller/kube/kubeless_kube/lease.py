"""Leader election by a Lease, so that of several replicas one works.

The protocol is client-go's (``tools/leaderelection``): the holder writes its
name and a time into a ``coordination.k8s.io/v1`` Lease again and again, and
whoever sees that it has not changed for its duration takes it over, by an
update that fails when somebody else was quicker. Ours adds what the Python
client's own election lacks: giving the lease back at the end, times that no
step of the wall clock can bend, and an answer to "am I still?" for each write.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Conflict, NotFound, Unreachable
from kubeless_kube.resources import LEASES

log = logging.getLogger(__name__)

Object = dict[str, Any]


@dataclass(frozen=True)
class Terms:
    """Times of a lease in seconds.

    A lease that was not renewed for ``duration`` may be taken. A holder that could not renew for
    ``deadline`` is none any more; what lies between the two is for requests on their way. ``period``
    is the time between two renewals, and between two looks of a candidate.
    """

    duration: float = 15.0
    deadline: float = 10.0
    period: float = 1.0


class Lease:
    """One candidate's view of a lease.

    * It is taken only when it is free, was given back, or has not changed for its duration, as this
      process saw it: clocks of different machines are never compared.
    * ``held`` turns false by itself, before anybody else can take over, also when this process slept.
    * A holder that was deposed never holds again: ``lost`` is set for good.
    * ``release`` gives it back, so that the next candidate need not wait.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        terms: Terms = Terms(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lost = threading.Event()
        self.identity = identity
        self._client = client
        self._namespace = namespace
        self._name = name
        self._terms = terms
        self._clock = clock
        self._held_until = 0.0
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        # The lease as it was last seen to change, and when that was.
        self._seen = ""
        self._seen_at = 0.0

    def held(self) -> bool:
        """Say whether this candidate is the leader now."""
        return not self.lost.is_set() and self._clock() < self._held_until

    def acquire(self, stop: threading.Event) -> bool:
        """Wait for the lease, then keep renewing it in a thread; False when told to stop before."""
        log.info("waiting for the lease %s/%s", self._namespace, self._name)
        while not stop.is_set():
            if self._attempt():
                log.info("%s holds the lease %s/%s", self.identity, self._namespace, self._name)
                self._renewer.start()
                return True
            stop.wait(self._terms.period * random.uniform(0.8, 1.0))
        return False

    def release(self) -> None:
        """Give the lease back, if this candidate has it."""
        self._ended.set()
        if self._renewer.ident is None:
            return
        self._renewer.join(self._terms.deadline)
        if not self.held():
            return
        self._held_until = 0.0
        try:
            live = self._client.get(LEASES, self._namespace, self._name)
            if live["spec"].get("holderIdentity") == self.identity:
                self._write(live, {"holderIdentity": None, "leaseDurationSeconds": 1})
                log.info("gave the lease %s/%s back", self._namespace, self._name)
        except (ApiError, Unreachable) as error:
            log.warning("the lease could not be given back, others wait for its end: %s", error)

    def _renew(self) -> None:
        while not self._ended.wait(self._terms.period):
            if self._attempt():
                continue
            if not self.held():
                log.error("%s lost the lease %s/%s", self.identity, self._namespace, self._name)
                self.lost.set()
                return

    def _attempt(self) -> bool:
        """Take or renew the lease; says whether it is this candidate's."""
        # From before the request: what the server wrote cannot be older.
        began = self._clock()
        try:
            taken = self._take(began)
        except Conflict:
            return False
        except (ApiError, Unreachable) as error:
            log.warning("the lease %s/%s: %s", self._namespace, self._name, error)
            return False
        if taken:
            # Never longer: a holder that slept past its deadline must not wake up as one.
            if self._held_until and self._clock() >= self._held_until:
                return False
            self._held_until = began + self._terms.deadline
        elif self._held_until:
            self._held_until = 0.0  # somebody else has it
        return taken

    def _take(self, now: float) -> bool:
        try:
            live = self._client.get(LEASES, self._namespace, self._name)
        except NotFound:
            self._client.create(LEASES, self._fresh())
            return True
        spec = live.get("spec") or {}
        version = live["metadata"]["resourceVersion"]
        if version != self._seen:
            self._seen, self._seen_at = version, now
        holder = spec.get("holderIdentity")
        mine = holder == self.identity
        if self._held_until and not mine:
            return False
        expires = self._seen_at + float(spec.get("leaseDurationSeconds") or self._terms.duration)
        if holder and not mine and now < expires:
            return False
        change: Object = {"renewTime": _now()}
        if not mine:
            change.update(
                holderIdentity=self.identity,
                acquireTime=_now(),
                leaseDurationSeconds=_whole(self._terms.duration),
                leaseTransitions=int(spec.get("leaseTransitions") or 0) + 1,
            )
        written = self._write(live, change)
        self._seen, self._seen_at = written["metadata"]["resourceVersion"], now
        return True

    def _fresh(self) -> Object:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": self._namespace, "name": self._name},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": _whole(self._terms.duration),
                "acquireTime": _now(),
                "renewTime": _now(),
                "leaseTransitions": 0,
            },
        }

    def _write(self, live: Object, change: Object) -> Object:
        """Change the lease if it is still as it was seen. Raises Conflict when it is not."""
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        return self._client.patch(
            LEASES, self._namespace, self._name, {"metadata": version, "spec": change}
        )


def _whole(seconds: float) -> int:
    """Whole seconds, as the API has them; never fewer."""
    return max(1, -int(-seconds // 1))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
