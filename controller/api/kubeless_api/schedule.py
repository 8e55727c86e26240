"""When something shall happen: five fields as in a crontab, or a word.

Only the form is looked at here, by the same rules as in the schemas of what
has a schedule. Which values a field may have is known to the API server, which
checks the CronJob that is made of it.
"""

from __future__ import annotations

import re

from kubeless_api.conditions import INVALID_SCHEDULE
from kubeless_api.errors import SpecError
from kubeless_api.fields import wrong

EXPECTED = (
    "five fields (minute, hour, day of month, month, day of week) like '*/5 * * * *', one of @yearly, @annually, "
    "@monthly, @weekly, @daily, @midnight and @hourly, or an interval like '@every 1h30m'"
)
_ZONE = re.compile(r"\s*(CRON_)?TZ=")
_FORM = re.compile(
    r"\s*[-0-9A-Za-z*/,?]+(\s+[-0-9A-Za-z*/,?]+){4}\s*"
    r"|@(yearly|annually|monthly|weekly|daily|midnight|hourly)"
    r"|@every ([0-9]+([.][0-9]+)?(ms|s|m|h))+"
)


def check(value: str, path: str = "spec.schedule") -> str:
    """The schedule, as it is. Raises SpecError when it has no form that a schedule can have."""
    if _ZONE.match(value):
        raise SpecError(
            INVALID_SCHEDULE,
            f"{path}: found {value!r}; a time zone has a field of its own: write it to spec.timeZone, like "
            "'Europe/Berlin', and the schedule without it",
        )
    if _FORM.fullmatch(value) is None:
        error = wrong(path, value or None, EXPECTED)
        raise SpecError(INVALID_SCHEDULE, error.message)
    return value
