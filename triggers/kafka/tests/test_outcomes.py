"""The table of outcomes, waits between attempts, and what Retry-After says."""

from __future__ import annotations

import pytest

from kubeless_kafka import backoff
from kubeless_kafka.flow import Concurrency, Outage
from kubeless_kafka.outcomes import Outcome, of_status


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (200, False, Outcome.SUCCESS),
        (204, False, Outcome.SUCCESS),
        (301, False, Outcome.DEAD_LETTER),
        (400, False, Outcome.DEAD_LETTER),
        (404, True, Outcome.DEAD_LETTER),
        (408, False, Outcome.RETRY),
        (429, True, Outcome.RETRY),
        (500, False, Outcome.RETRY),
        (500, True, Outcome.RETRY),
        (503, False, Outcome.RETRY),
        (503, True, Outcome.WAIT),
        (599, False, Outcome.RETRY),
    ],
)
def test_each_status_has_its_outcome(status: int, retry_after: bool, outcome: Outcome) -> None:
    assert of_status(status, retry_after=retry_after, table={}) is outcome


def test_the_triggers_table_goes_before_and_a_status_before_its_class() -> None:
    table = {"404": "Wait", "4xx": "Success", "5xx": "DeadLetter"}
    assert of_status(404, retry_after=False, table=table) is Outcome.WAIT
    assert of_status(409, retry_after=False, table=table) is Outcome.SUCCESS
    assert of_status(503, retry_after=True, table=table) is Outcome.DEAD_LETTER


def test_back_off_doubles_up_to_the_longest_with_jitter() -> None:
    for attempt, full in ((1, 0.5), (2, 1.0), (5, 8.0), (9, 60.0), (10**9, 60.0)):
        found = [backoff.delay(attempt, 0.5, 60.0) for _ in range(50)]
        assert all(full / 2 <= one <= full for one in found)
        assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert backoff.retry_after(value, now=60.0) == seconds


def test_fewer_calls_while_the_function_has_no_room_and_more_again() -> None:
    concurrency = Concurrency()
    assert concurrency.allowed(32) == 32
    concurrency.refused(32, now=1.0)
    concurrency.refused(31, now=1.1)
    assert concurrency.allowed(32) == 22
    for second in range(2, 40):
        concurrency.refused(1, now=float(second))
    assert concurrency.allowed(32) == 1
    for _ in range(2000):
        concurrency.answered()
    assert concurrency.allowed(32) == 32


def test_an_outage_is_probed_with_longer_and_longer_pauses() -> None:
    outage = Outage(100.0)
    outage.failed(called=99.9, now=100.0)
    assert outage.next == pytest.approx(100.1)
    now, pauses = outage.next, []
    for _ in range(10):
        outage.failed(called=now, now=now)
        pauses.append(outage.next - now)
        now = outage.next
    assert pauses[0] < 0.25
    assert 3.7 < pauses[-1] <= 5.0
