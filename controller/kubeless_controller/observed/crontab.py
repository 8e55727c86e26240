"""When a schedule fires next, by the rules of the CronJob controller.

Those are the rules of github.com/robfig/cron: it fires at each minute whose
wall-clock time in the zone fits all fields. A time that a change to summer
time skips does not come, one that a change back repeats comes twice. Day of
month and day of week both have to fit when one of them is a bare ``*`` or
``?`` (``*/2`` is none), else one is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

# After as many years without a fitting day there is none: the 29th of February comes every eight years at least.
MAX_YEARS = 9
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_DURATION = re.compile(r"([0-9]+(?:[.][0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_STEPPED = re.compile(r"(?P<range>[^/]+)(/(?P<step>[0-9]+))?")


@dataclass(frozen=True)
class Crontab:
    """The five fields of a schedule, as the values that they let through."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def fires_on(self, day: date) -> bool:
        """Say whether it fires on this day of its zone."""
        if day.month not in self.months:
            return False
        fits = day.day in self.days
        fits_weekday = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return fits and fits_weekday
        return fits or fits_weekday


def next_firing(
    schedule: str, zone: tzinfo, now: datetime, since: datetime | None = None
) -> datetime | None:
    """The first time after ``now`` at which a schedule fires, in UTC; None when it never does.

    An interval (@every) counts from ``since``: the last firing, or when the CronJob was made.
    Raises ValueError for a schedule that is none.
    """
    if schedule.startswith(_EVERY):
        return _next_interval(_seconds(schedule[len(_EVERY) :]), now, since or now)
    crontab = parse(_WORDS.get(schedule, schedule))
    first = now.astimezone(zone).date()
    # The day before: a zone that is set back at midnight repeats some of it.
    for offset in range(-1, MAX_YEARS * 366):
        day = first + timedelta(days=offset)
        if crontab.fires_on(day):
            later = [at for at in _times(crontab, day, zone) if at > now]
            if later:
                return min(later)
    return None


def parse(schedule: str) -> Crontab:
    """Read five fields. Raises ValueError."""
    fields = schedule.split()
    if len(fields) != 5:
        raise ValueError(f"found {len(fields)} fields in {schedule!r}, expected 5")
    minutes, _ = _field(fields[0], 0, 59)
    hours, _ = _field(fields[1], 0, 23)
    days, any_day = _field(fields[2], 1, 31)
    months, _ = _field(fields[3], 1, 12, _MONTHS, 1)
    weekdays, any_weekday = _field(fields[4], 0, 6, _DAYS, 0)
    return Crontab(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _field(
    text: str, low: int, high: int, words: tuple[str, ...] = (), first: int = 0
) -> tuple[frozenset[int], bool]:
    values: set[int] = set()
    star = False
    for part in text.split(","):
        if not part:
            continue
        match = _STEPPED.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no part of a schedule")
        step = int(match["step"] or 1)
        begin, dash, end = match["range"].partition("-")
        if begin in ("*", "?"):
            if dash:
                raise ValueError(f"{part!r} is no range")
            start, stop = low, high
            star = star or step == 1
        else:
            start = _number(begin, words, first)
            # A single number with a step goes on to the end.
            stop = _number(end, words, first) if dash else high if match["step"] else start
        if not low <= start <= stop <= high or step < 1:
            raise ValueError(f"{part!r} is not within {low} and {high}")
        values.update(range(start, stop + 1, step))
    if not values:
        raise ValueError(f"{text!r} has no values")
    return frozenset(values), star


def _number(text: str, words: tuple[str, ...], first: int) -> int:
    if text.lower() in words:
        return words.index(text.lower()) + first
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is no number")
    return int(text)


def _times(crontab: Crontab, day: date, zone: tzinfo) -> Iterator[datetime]:
    """The times of a day at which it fires, in UTC."""
    for hour in crontab.hours:
        for minute in crontab.minutes:
            for fold in (0, 1):
                local = datetime.combine(day, time(hour, minute), zone).replace(fold=fold)
                at = local.astimezone(UTC)
                # One that the clock jumps over is another time when it comes back.
                if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                    yield at


def _seconds(text: str) -> int:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no interval")
    # Whole seconds, and one at least.
    return max(1, int(sum(float(number) * _SECONDS[unit] for number, unit in parts)))


def _next_interval(seconds: int, now: datetime, since: datetime) -> datetime:
    passed = max(0.0, (now - since).total_seconds())
    return (since + timedelta(seconds=(int(passed // seconds) + 1) * seconds)).astimezone(UTC)
