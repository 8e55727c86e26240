"""What a function's pods counted of its calls, summed up; pure.

The runtimes publish a histogram of durations and counters of calls and
failures by method; each pod has its own, and all are added.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

DURATION = "function_duration_seconds"
CALLS = "function_calls_total"
FAILURES = "function_failures_total"


@dataclass
class Usage:
    """The calls of one method. Durations in seconds; ``buckets`` cumulative by upper bound."""

    calls: float = 0.0
    failures: float = 0.0
    seconds: float = 0.0
    buckets: dict[float, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def average(self) -> float:
        """Mean duration; 0.0 without calls."""
        return self.seconds / self.calls if self.calls else 0.0

    def quantile(self, share: float) -> float | None:
        """The duration that ``share`` of the calls did not exceed, as Prometheus' histogram_quantile
        estimates it: evenly spread within a bucket. None without calls."""
        bounds = sorted(self.buckets)
        if not bounds or not self.buckets[bounds[-1]]:
            return None
        rank = share * self.buckets[bounds[-1]]
        below, lower = 0.0, 0.0
        for bound in bounds:
            count = self.buckets[bound]
            if count >= rank:
                # Past the last finite bound nothing is known but that bound.
                if bound == float("inf") or count == below:
                    return lower
                return lower + (bound - lower) * (rank - below) / (count - below)
            below, lower = count, bound
        return lower


def sum_up(expositions: Iterable[str]) -> dict[str, Usage]:
    """The usage by method, from the metrics texts of all pods. Raises ValueError for what is none."""
    from prometheus_client.parser import text_string_to_metric_families

    by_method: dict[str, Usage] = {}
    for text in expositions:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.startswith("function_"):
                    method = sample.labels.get("method", "")
                    _add(
                        by_method.setdefault(method, Usage()),
                        sample.name,
                        sample.labels,
                        sample.value,
                    )
    return {method: usage for method, usage in sorted(by_method.items()) if usage.calls}


def _add(usage: Usage, name: str, labels: Mapping[str, str], value: float) -> None:
    if name == CALLS:
        usage.calls += value
    elif name == FAILURES:
        usage.failures += value
    elif name == f"{DURATION}_sum":
        usage.seconds += value
    elif name == f"{DURATION}_bucket":
        usage.buckets[float(labels["le"])] += value
