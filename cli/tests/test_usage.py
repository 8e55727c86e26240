"""Adding up what pods counted."""

from __future__ import annotations

import pytest

from kubeless_cli.usage import Usage, sum_up

METRICS = """\
# HELP function_duration_seconds Duration of calls
# TYPE function_duration_seconds histogram
function_duration_seconds_bucket{method="GET",le="0.1"} 5
function_duration_seconds_bucket{method="GET",le="0.2"} 9
function_duration_seconds_bucket{method="GET",le="+Inf"} 10
function_duration_seconds_sum{method="GET"} 1.5
function_duration_seconds_count{method="GET"} 10
# HELP function_calls_total Calls
# TYPE function_calls_total counter
function_calls_total{method="GET"} 10
function_calls_total{method="POST"} 0
# HELP function_failures_total Failures
# TYPE function_failures_total counter
function_failures_total{method="GET"} 2
# HELP process_cpu_seconds_total Something else
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1
"""


def test_all_pods_are_added_and_methods_without_calls_left_out() -> None:
    usage = sum_up([METRICS, METRICS])
    assert list(usage) == ["GET"]
    get = usage["GET"]
    assert (get.calls, get.failures, get.seconds, get.average) == (20, 4, 3.0, 0.15)


def test_quantiles_lie_within_their_bucket() -> None:
    get = sum_up([METRICS])["GET"]
    assert get.quantile(0.5) == pytest.approx(0.1)
    assert get.quantile(0.7) == pytest.approx(0.15)
    # What is slower than the last bound is known to be at least that slow.
    assert get.quantile(0.99) == pytest.approx(0.2)


def test_nothing_is_known_without_calls() -> None:
    assert sum_up([]) == {}
    assert Usage().quantile(0.5) is None
    assert Usage().average == 0.0


def test_what_is_no_metrics_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r".*"):
        sum_up(["function_calls_total{"])
