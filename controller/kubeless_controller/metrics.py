"""Prometheus metrics, under the names that users of controller-runtime know."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
_requests = Counter(
    "rest_client_requests", "Requests to the API server by verb and status code", ["method", "code"]
)


def count_request(method: str, code: int) -> None:
    """Count one answer of the API server."""
    _requests.labels(method, str(code)).inc()


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
