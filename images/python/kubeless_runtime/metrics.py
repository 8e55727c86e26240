"""Metrics: counters on the board, and their Prometheus text.

A call is one execution of the handler; a failure is a call answered with 5xx or
408. Buckets hold their own calls only and are summed up when they are shown.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeless_runtime.board import Region

#: Methods counted under their own name; any other is counted as OTHER.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER")

#: Upper bounds of the histogram's buckets in seconds; one more without a bound follows.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
           60.0, 180.0)  # fmt: skip

_SUM = len(BUCKETS) + 1
_FAILURES = _SUM + 1
_WIDTH = _FAILURES + 1

#: Doubles that one worker's counters take.
COUNTERS = len(METHODS) * _WIDTH

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Recorder:
    """Counts the calls of one worker."""

    def __init__(self, region: Region) -> None:
        self._counters = region.counters
        self._starts = {method: index * _WIDTH for index, method in enumerate(METHODS)}
        self._lock = threading.Lock()

    def record(self, method: str, seconds: float, failed: bool) -> None:
        """Count one call."""
        counters = self._counters
        start = self._starts.get(method)
        if start is None:
            start = self._starts["OTHER"]
        bucket = start + bisect_left(BUCKETS, seconds)
        with self._lock:
            counters[bucket] += 1.0
            counters[start + _SUM] += seconds
            if failed:
                counters[start + _FAILURES] += 1.0


def render(regions: list[Region]) -> str:
    """The exposition of all workers' counters, dead ones included."""
    totals = [sum(values) for values in zip(*(r.counters.tolist() for r in regions), strict=True)]
    seconds, calls, failures = [], [], []
    for index, method in enumerate(METHODS):
        row = totals[index * _WIDTH : (index + 1) * _WIDTH]
        count = sum(row[:_SUM])
        if not count:
            continue
        label = f'method="{method}"'
        below = 0.0
        for bound, value in zip((*map(str, BUCKETS), "+Inf"), row, strict=False):
            below += value
            seconds.append(f'function_duration_seconds_bucket{{{label},le="{bound}"}} {below:.0f}')
        seconds.append(f"function_duration_seconds_sum{{{label}}} {row[_SUM]:.9g}")
        seconds.append(f"function_duration_seconds_count{{{label}}} {count:.0f}")
        calls.append(f"function_calls_total{{{label}}} {count:.0f}")
        failures.append(f"function_failures_total{{{label}}} {row[_FAILURES]:.0f}")
    return "\n".join(
        (
            "# HELP function_duration_seconds Duration of the function's calls in seconds.",
            "# TYPE function_duration_seconds histogram",
            *seconds,
            "# HELP function_calls_total Calls of the function.",
            "# TYPE function_calls_total counter",
            *calls,
            "# HELP function_failures_total Calls of the function that failed or ran out of time.",
            "# TYPE function_failures_total counter",
            *failures,
            "",
        )
    )
