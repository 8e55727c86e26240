"""Prometheus metrics of the consumer."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180)

records = Counter("kubeless_kafka_records", "Records that are done", ["function", "result"])
retries = Counter("kubeless_kafka_retries", "Attempts that failed and are made again", ["function"])
dead_letters = Counter(
    "kubeless_kafka_dead_letters", "Records written to the dead-letter topic", ["function"]
)
lag = Gauge(
    "kubeless_kafka_lag",
    "Records up to the end of a partition that are not done",
    ["function", "partition"],
)
in_flight = Gauge("kubeless_kafka_in_flight", "Records that the function has now", ["function"])
commit_seconds = Histogram(
    "kubeless_kafka_commit_seconds", "Time of a commit", ["function"], buckets=_SECONDS
)
handler_seconds = Histogram(
    "kubeless_kafka_handler_seconds", "Time of a call", ["function"], buckets=_SECONDS
)


class FunctionMetrics:
    """The metrics of one function, looked up once."""

    def __init__(self, function: str) -> None:
        self._function = function
        self.succeeded = records.labels(function, "success")
        self.dead = records.labels(function, "dead_letter")
        self.retries = retries.labels(function)
        self.dead_letters = dead_letters.labels(function)
        self.in_flight = in_flight.labels(function)
        self.commit_seconds = commit_seconds.labels(function)
        self.handler_seconds = handler_seconds.labels(function)
        self._partitions: set[int] = set()

    def set_lags(self, lags: dict[int, int]) -> None:
        """The lag of each partition that is assigned; others are no more reported."""
        for number in self._partitions - lags.keys():
            lag.remove(self._function, str(number))
        for number, found in lags.items():
            lag.labels(self._function, str(number)).set(found)
        self._partitions = set(lags)

    def remove(self) -> None:
        """The function is gone: gauges go, counters stay."""
        self.set_lags({})
        self.in_flight.set(0)
