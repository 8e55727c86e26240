"""Asking consumers how they are: every few seconds, each pod of every KafkaTrigger.

What they say is kept here and looked at by the passes of their triggers, which
are told when something is new. Only the leader asks: its loop runs only then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kubeless_controller.observed.consumer_report import NoReport, Report, Trouble, parse
from kubeless_controller.observed.consuming import Seen
from kubeless_controller.reconcile.kafka_caches import kafka_trigger_of
from kubeless_controller.reconcile.status_request import NoAnswer, ask
from kubeless_controller.settings import Pace
from kubeless_kube.namespaced import Store

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]

# Of thousands of pods each is asked less often, so that asking takes no more than a part of one core.
REQUESTS_PER_SECOND = 100
# A pod that does not answer is asked less and less often.
LONGEST_PERIOD_SECONDS = 30.0
# An answer that fails once or twice says less than the one before.
FAILURES_TO_TELL = 3

# Lag and last error of each function.
Passing = tuple[tuple[int, Trouble | None], ...]


@dataclass(frozen=True)
class _Known:
    """What is known of a pod; ``told`` is what its trigger was told, and ``told_at`` when (monotonic seconds)."""

    seen: Seen
    failures: int = 0
    told: tuple[Seen, Passing] | None = None
    told_at: float = 0.0


class Consumers:
    """What the pods of all KafkaTriggers said last.

    * One that stops answering is believed for two more requests.
    * A trigger is told of what is new at once; of how far behind consumers are and which record failed last, which
      changes all the time and is a write each time, as often as ``pace`` says.
    """

    def __init__(
        self,
        pods: Store,
        pace: Pace,
        request: Callable[[str], bytes] = ask,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pods = pods
        self._handlers: list[Callable[[Key], None]] = []
        self._request = request
        self._pace = pace
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        pods.on_change(self._forget_gone)

    def on_news(self, handler: Callable[[Key], None]) -> None:
        """Have ``handler`` called with the key of the trigger of which something is new."""
        self._handlers.append(handler)

    def of(self, pod: Object) -> Seen | None:
        """What a pod said last; None when it has not been asked yet."""
        with self._lock:
            known = self._known.get(pod["metadata"]["uid"])
        return None if known is None else known.seen

    def poll(self, key: Key) -> float | None:
        """Ask one pod; returns the seconds until it is asked again, None when there is nobody to ask."""
        pod = self._pods.get(*key)
        if pod is None or not is_asked(pod):
            return None
        uid = pod["metadata"]["uid"]
        with self._lock:
            before = self._known.get(uid)
        after = self._asked(pod, before)
        now = self._clock()
        essence = _essence(after.seen)
        known = before if before is not None else _Known(Seen(key[1], None))
        only_passing = known.told is not None and known.told[0] == essence[0]
        waits = only_passing and now - known.told_at < self._pace.passing
        news = essence != known.told and not waits
        if news:
            after = replace(after, told=essence, told_at=now)
        with self._lock:
            self._known[uid] = after
            pods = len(self._known)
        if self._pods.get(*key) is None:
            self._forget_gone(pod)
            return None
        if news:
            for handler in self._handlers:
                handler(kafka_trigger_of(pod))
        period = max(self._pace.asking, pods / REQUESTS_PER_SECOND)
        told = max(0, after.failures - FAILURES_TO_TELL)
        return min(period * 2.0 ** min(told, 8), max(period, LONGEST_PERIOD_SECONDS))

    def _asked(self, pod: Object, before: _Known | None) -> _Known:
        name = pod["metadata"]["name"]
        known = before if before is not None else _Known(Seen(name, None))
        try:
            report: Report = parse(self._request(pod["status"]["podIP"]))
        except (NoAnswer, NoReport) as error:
            failures = known.failures + 1
            if known.seen.report is not None and failures < FAILURES_TO_TELL:
                return replace(known, failures=failures)
            if failures == 1 or known.seen.report is not None:
                log.info("pod %s does not say how it is: %s", name, error)
            return replace(known, seen=Seen(name, None, str(error)), failures=failures)
        return replace(known, seen=Seen(name, report), failures=0)

    def _forget_gone(self, obj: Object) -> None:
        metadata = obj["metadata"]
        if self._pods.get(metadata["namespace"], metadata["name"]) is None:
            with self._lock:
                self._known.pop(metadata["uid"], None)


def is_asked(pod: Object) -> bool:
    """Say whether a pod can be asked: it has an address, runs, and is not on its way out."""
    status = pod["status"]
    return (
        bool(status.get("podIP"))
        and status.get("phase") == "Running"
        and not pod["metadata"].get("deletionTimestamp")
    )


def _essence(seen: Seen) -> tuple[Seen, Passing]:
    """What a trigger is told of: first what it is told at once, then what changes all the time: lags and last errors."""
    report = seen.report
    if report is None:
        return seen, ()
    bare = tuple(replace(part, lag=0, last_error=None) for part in report.subscriptions)
    passing = tuple((part.lag, part.last_error) for part in report.subscriptions)
    return replace(seen, report=replace(report, subscriptions=bare)), passing
