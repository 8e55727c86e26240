"""Prometheus metrics, under the names that users of controller-runtime know."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

_depth = Gauge("workqueue_depth", "Keys that wait", ["name"])
_adds = Counter("workqueue_adds", "Keys added", ["name"])
_waits = Histogram(
    "workqueue_queue_duration_seconds", "Time a key waits", ["name"], buckets=_SECONDS
)
_works = Histogram(
    "workqueue_work_duration_seconds", "Time a key is worked on", ["name"], buckets=_SECONDS
)
_retries = Counter("workqueue_retries", "Keys added again after a failure", ["name"])
_unfinished = Gauge(
    "workqueue_unfinished_work_seconds", "Time of all work that is going on", ["name"]
)
_longest = Gauge(
    "workqueue_longest_running_processor_seconds",
    "Time of the work that has been going on for longest",
    ["name"],
)

reconcile_total = Counter(
    "controller_runtime_reconcile", "Passes by kind and result", ["controller", "result"]
)
reconcile_errors = Counter(
    "controller_runtime_reconcile_errors", "Passes that failed by kind", ["controller"]
)
reconcile_seconds = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Time of a pass by kind",
    ["controller"],
    buckets=_SECONDS,
)
active_workers = Gauge(
    "controller_runtime_active_workers", "Workers that are at work by kind", ["controller"]
)
workers = Gauge("controller_runtime_max_concurrent_reconciles", "Workers by kind", ["controller"])
_leader = Gauge(
    "leader_election_master_status", "1 when this replica is the leader, 0 when not", ["name"]
)
events_dropped = Counter("kubeless_events_dropped", "Events that were not written")
_requests = Counter(
    "rest_client_requests", "Requests to the API server by verb and status code", ["method", "code"]
)


def count_request(method: str, code: int) -> None:
    """Count one answer of the API server."""
    _requests.labels(method, str(code)).inc()


def watch_leader(name: str, held: Callable[[], bool]) -> None:
    """Show whether this replica holds the lease of this name."""
    _leader.labels(name).set_function(lambda: float(held()))


class Working(Protocol):
    """A queue that says how long it has been worked on; seconds."""

    def unfinished_work(self) -> float: ...
    def longest_work(self) -> float: ...


def watch_queue(name: str, queue: Working) -> None:
    """Show how long what is taken off a queue has been worked on."""
    _unfinished.labels(name).set_function(queue.unfinished_work)
    _longest.labels(name).set_function(queue.longest_work)


class Inventory(Collector):
    """How many objects of each kind there are, by what their Ready condition says; counted when asked for."""

    def __init__(self) -> None:
        self._kinds: dict[str, Callable[[], Iterable[Mapping[str, Any]]]] = {}

    def add(self, kind: str, objects: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        """Count this kind too."""
        self._kinds[kind] = objects

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample for each status and reason."""
        family = GaugeMetricFamily(
            "kubeless_objects",
            "Objects by kind and Ready condition",
            labels=["kind", "ready", "reason"],
        )
        for kind, objects in self._kinds.items():
            tally = Tally(_ready(obj) for obj in objects())
            for (status, reason), number in sorted(tally.items()):
                family.add_metric([kind, status, reason], number)
        yield family


inventory = Inventory()
REGISTRY.register(inventory)


def _ready(obj: Mapping[str, Any]) -> tuple[str, str]:
    for condition in (obj.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "Ready":
            return condition["status"], condition["reason"]
    return "Unknown", ""


class QueueMetrics:
    """What one work queue tells Prometheus."""

    def __init__(self, name: str) -> None:
        self._depth = _depth.labels(name)
        self._adds = _adds.labels(name)
        self._waits = _waits.labels(name)
        self._works = _works.labels(name)
        self._retries = _retries.labels(name)

    def added(self) -> None:
        """A key was added."""
        self._adds.inc()

    def depth(self, keys: int) -> None:
        """So many keys wait."""
        self._depth.set(keys)

    def waited(self, seconds: float) -> None:
        """A key waited this long."""
        self._waits.observe(seconds)

    def worked(self, seconds: float) -> None:
        """A key was worked on this long."""
        self._works.observe(seconds)

    def retried(self) -> None:
        """A key failed and comes again."""
        self._retries.inc()
