"""When a schedule fires next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeless_controller.observed.crontab import Crontab, next_firing, parse

BERLIN = ZoneInfo("Europe/Berlin")


def after(schedule: str, now: str, zone: str = "UTC", since: str = "") -> str:
    found = next_firing(
        schedule,
        ZoneInfo(zone),
        datetime.fromisoformat(now),
        datetime.fromisoformat(since) if since else None,
    )
    return "" if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * *", "2026-03-10T10:01:00+00:00"),
        ("*/5 * * * *", "2026-03-10T10:05:00+00:00"),
        ("0 * * * *", "2026-03-10T11:00:00+00:00"),
        ("7/20 * * * *", "2026-03-10T10:07:00+00:00"),
        ("30 9 * * *", "2026-03-11T09:30:00+00:00"),
        ("0 0 1 1 *", "2027-01-01T00:00:00+00:00"),
        ("0 0 * FEB mon", "2027-02-01T00:00:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
        ("0 0 31 6 *", ""),
        # Two days, no star: one is enough. The 10th of March 2026 is a Tuesday.
        ("0 0 13 * fri", "2026-03-13T00:00:00+00:00"),
        ("0 0 13 * wed", "2026-03-11T00:00:00+00:00"),
        # A star on either side: both have to fit; with a step it is none.
        ("0 0 13 * *", "2026-03-13T00:00:00+00:00"),
        ("0 0 ? * wed", "2026-03-11T00:00:00+00:00"),
        ("0 0 */30 * wed", "2026-03-11T00:00:00+00:00"),
        ("@hourly", "2026-03-10T11:00:00+00:00"),
        ("@daily", "2026-03-11T00:00:00+00:00"),
        ("@weekly", "2026-03-15T00:00:00+00:00"),
        ("@monthly", "2026-04-01T00:00:00+00:00"),
        ("@yearly", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_the_next_time(schedule: str, expected: str) -> None:
    assert after(schedule, "2026-03-10T10:00:00+00:00") == expected


def test_a_zone_is_that_of_the_wall_clock() -> None:
    assert after("0 9 * * *", "2026-01-01T00:00:00+00:00", "Asia/Kolkata").startswith(
        "2026-01-01T03:30"
    )
    assert after("0 9 * * *", "2026-07-01T00:00:00+00:00", "Europe/Berlin").startswith(
        "2026-07-01T07:00"
    )


def test_a_time_that_summer_time_skips_does_not_come_and_one_that_is_repeated_comes_twice() -> None:
    # The 29th of March 2026 has no half past two in Berlin, the 25th of October two of them.
    assert after("30 2 * * *", "2026-03-28T12:00:00+00:00", "Europe/Berlin").startswith(
        "2026-03-30T00:30"
    )
    first = after("30 2 * * *", "2026-10-24T12:00:00+00:00", "Europe/Berlin")
    assert first.startswith("2026-10-25T00:30")
    second = after("30 2 * * *", first, "Europe/Berlin")
    assert second.startswith("2026-10-25T01:30")
    assert after("30 2 * * *", second, "Europe/Berlin").startswith("2026-10-26T01:30")


def test_an_interval_counts_from_the_last_time() -> None:
    now, since = "2026-03-10T10:00:00+00:00", "2026-03-10T08:10:05+00:00"
    assert after("@every 1h30m", now, since=since) == "2026-03-10T11:10:05+00:00"
    assert after("@every 1.5h", since, since=since) == "2026-03-10T09:40:05+00:00"
    assert after("@every 10ms", since, since=since) == "2026-03-10T08:10:06+00:00"


@pytest.mark.parametrize(
    "schedule",
    [
        *("* * * *", "60 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "5-1 * * * *"),
        *("*/0 * * * *", "a * * * *", "1-2-3 * * * *", ", * * * *", "*-3 * * * *", "1/x * * * *"),
        *("@every soon", "@every ", "@never"),
    ],
)
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(
        ValueError, match=r"expected 5|no part|not within|no number|no range|no values|no interval"
    ):
        after(schedule, "2026-03-10T10:00:00+00:00")


_fields = st.tuples(
    st.sampled_from(["*", "0", "*/7", "5,59", "10-20/3"]),
    st.sampled_from(["*", "2", "*/5", "0-3", "23"]),
    st.sampled_from(["*", "1", "*/9", "28-31", "?"]),
    st.sampled_from(["*", "3,10", "*/4"]),
    st.sampled_from(["*", "sun", "1-5", "*/2"]),
)


def _after(begin: datetime, days: int) -> st.SearchStrategy[datetime]:
    return st.integers(0, days * 86_400).map(lambda seconds: begin + timedelta(seconds=seconds))


# Around the changes of Berlin's clocks, mostly.
_times = st.one_of(
    _after(datetime(2026, 3, 28, tzinfo=UTC), 2),
    _after(datetime(2026, 10, 24, tzinfo=UTC), 2),
    _after(datetime(2026, 1, 1, tzinfo=UTC), 730),
)


@settings(max_examples=150, deadline=None)
@given(_fields, _times)
def test_it_is_the_first_minute_whose_wall_clock_fits(
    fields: tuple[str, ...], now: datetime
) -> None:
    found = next_firing(" ".join(fields), BERLIN, now)
    crontab = parse(" ".join(fields))
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(4 * 24 * 60):
        if fits(crontab, minute.astimezone(BERLIN)):
            assert found == minute
            return
        minute += timedelta(minutes=1)
    assert found is not None
    assert found >= minute
    assert fits(crontab, found.astimezone(BERLIN))


def fits(crontab: Crontab, local: datetime) -> bool:
    return (
        crontab.fires_on(local.date())
        and local.hour in crontab.hours
        and local.minute in crontab.minutes
    )
