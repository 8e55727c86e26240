"""The event that a call brings: which one it is, and for when it was scheduled."""

from __future__ import annotations

import time
from collections.abc import Mapping

# Minutes since 1970, by which a CronJob's controller names its Jobs, have eight digits until 2160.
_DIGITS = 8


def scheduled_at(job: str, cron_job: str, now: float) -> float:
    """Seconds since 1970 for which the Job ``<cron job>-<minutes>`` was scheduled; ``now`` for one made by hand."""
    name, _, minutes = job.rpartition("-")
    if name == cron_job and minutes.isascii() and minutes.isdigit() and len(minutes) >= _DIGITS:
        return int(minutes) * 60.0
    return now


def headers(environ: Mapping[str, str], now: float) -> list[str]:
    """The event's header lines: those that are given, and identity and time.

    The identity is the Job's: an attempt that is made again brings the same event.
    """
    at = scheduled_at(
        environ.get("KUBELESS_JOB_NAME", ""), environ.get("KUBELESS_CRONJOB", ""), now
    )
    when = time.gmtime(at)
    uid = environ.get("KUBELESS_JOB_UID", "")
    given = [line for line in environ.get("KUBELESS_HEADERS", "").split("\n") if line]
    return [
        *given,
        f"event-id: {uid}",
        f"event-time: {time.strftime('%Y-%m-%d %H:%M:%S+00:00', when)}",
        f"ce-id: {uid}",
        f"ce-time: {time.strftime('%Y-%m-%dT%H:%M:%SZ', when)}",
    ]
