"""The CronJobTrigger that a command line asks for: pure, no cluster."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api.cronjob_trigger import POLICIES
from kubeless_cli.errors import Failure
from kubeless_cli.fields import put
from kubeless_cli.flags import Given
from kubeless_cli.trigger import annotate, function_of, owner

Object = dict[str, Any]

_TIME_ZONE = re.compile(r"[A-Za-z][-+_/A-Za-z0-9]*")


@dataclass(frozen=True)
class CronJobWish(Given):
    """What the flags of one command line ask for. None: the flag was not given.

    The payload is in a tuple: None is a payload too, that there is none.
    """

    function_name: str | None = None
    schedule: str | None = None
    payload: tuple[Any] | None = None
    payload_from_file: tuple[Any] | None = None
    time_zone: str | None = None
    concurrency_policy: str | None = None
    starting_deadline: int | str | None = None
    suspend: bool | None = None
    successful_history: int | str | None = None
    failed_history: int | str | None = None
    retries: int | str | None = None
    label: Mapping[str, str] | None = None
    annotation: Mapping[str, str] | None = None


def change(trigger: Object, wish: CronJobWish) -> Object:
    """A copy of `trigger` with what the flags say changed.

    Raises ValueError for two payloads, Failure for what a Function decides.
    """
    refuse_what_a_function_decides(trigger, wish)
    trigger = copy.deepcopy(trigger)
    annotate(trigger["metadata"], wish.label, wish.annotation)
    spec: Object = trigger.setdefault("spec", {})
    put(spec, "function-name", wish.function_name)
    put(spec, "schedule", wish.schedule)
    _payload(spec, wish)
    put(spec, "timeZone", wish.time_zone)
    put(spec, "concurrencyPolicy", wish.concurrency_policy)
    put(spec, "startingDeadlineSeconds", wish.starting_deadline)
    put(spec, "suspend", "" if wish.suspend is False else wish.suspend)
    put(spec, "successfulJobsHistoryLimit", wish.successful_history)
    put(spec, "failedJobsHistoryLimit", wish.failed_history)
    put(spec, "backoffLimit", wish.retries)
    return trigger


def _payload(spec: Object, wish: CronJobWish) -> None:
    if wish.payload is not None and wish.payload_from_file is not None:
        raise ValueError("--payload and --payload-from-file exclude each other: expected one.")
    given = wish.payload or wish.payload_from_file
    if given is None:
        return
    # Unlike elsewhere, an empty object or list is a value.
    if given[0] is None:
        spec.pop("payload", None)
    else:
        spec["payload"] = given[0]


def refuse_what_a_function_decides(trigger: Object, wish: CronJobWish) -> None:
    """Raise Failure for another schedule or function of a trigger that a Function's schedule made."""
    function, name = owner(trigger), trigger["metadata"]["name"]
    if not function:
        return
    if wish.function_name not in (None, function_of(trigger)):
        raise Failure(
            f"Cronjob trigger {name} is the schedule of function {function}, and calls nothing "
            "else; nothing was done.\nCreate another one, with a name of its own."
        )
    if wish.schedule not in (None, (trigger.get("spec") or {}).get("schedule")):
        raise Failure(
            f"Cronjob trigger {name} has the schedule of function {function}, which would set it "
            "again; nothing was done.\n"
            f"""Change it there: 'kubeless function update {function} --schedule "{wish.schedule}"'."""
        )


def refuse_to_delete_what_comes_back(trigger: Object) -> None:
    """Raise Failure for a trigger that a Function's schedule would make again."""
    function = owner(trigger)
    if function:
        raise Failure(
            f"Cronjob trigger {trigger['metadata']['name']} has the schedule of function "
            f"{function} and would come back; nothing was deleted.\n"
            f"""'kubeless function update {function} --schedule ""' takes it away."""
        )


def policy(value: str) -> str:
    """A concurrency policy in the cluster's spelling. Raises ValueError."""
    for known in POLICIES:
        if value.lower() == known.lower():
            return known
    raise ValueError(f"'{value}' is not a policy: expected {', '.join(POLICIES)}.")


def check_time_zone(value: str) -> None:
    """Raise ValueError for what is no time zone, as far as this machine knows them."""
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = available_timezones()
    if value not in known if known else not _TIME_ZONE.fullmatch(value):
        near = get_close_matches(value, known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"'{value}' is not a time zone: expected its IANA name, such as Europe/Berlin.{hint}"
        )
