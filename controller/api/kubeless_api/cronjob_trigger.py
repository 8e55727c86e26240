"""A CronJobTrigger as its user wrote it, parsed and checked.

The API server has checked the schema already, yet an object may be older than
the schema: everything is checked here too, and every error is a SpecError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubeless_api import fields, names, schedule

POLICIES = ("Allow", "Forbid", "Replace")
# A function is called again when a call fails: twice, as often as a broken connection heals.
DEFAULT_BACKOFF_LIMIT = 2
# As the original had them.
DEFAULT_SUCCESSFUL_HISTORY = 3
DEFAULT_FAILED_HISTORY = 1


@dataclass(frozen=True)
class CronJobTrigger:
    """One CronJobTrigger; fields that are not set have their defaults or are empty.

    ``payload`` is any JSON value, None when there is none. ``starting_deadline`` is in seconds, 0 when there is none.
    """

    kind: ClassVar[str] = names.CRONJOB_TRIGGER_KIND

    namespace: str
    name: str
    uid: str
    function: str
    schedule: str
    time_zone: str
    payload: Any
    suspend: bool
    concurrency_policy: str
    starting_deadline: int
    successful_history: int
    failed_history: int
    backoff_limit: int


def parse(obj: Mapping[str, Any]) -> CronJobTrigger:
    """Parse a CronJobTrigger object of the API server. Raises SpecError."""
    metadata = obj["metadata"]
    spec = fields.mapping(obj, "spec", "")
    function = function_of(obj)
    if not names.is_dns_1035_label(function):
        raise fields.wrong(
            "spec.function-name",
            function or None,
            "the name of a Function of this namespace, like 'my-function'",
        )
    payload = spec.get("payload")
    policy = fields.text(spec, "concurrencyPolicy", "spec") or POLICIES[0]
    if policy not in POLICIES:
        raise fields.wrong("spec.concurrencyPolicy", policy, "Allow, Forbid or Replace")
    return CronJobTrigger(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        function=function,
        schedule=schedule.check(fields.text(spec, "schedule", "spec")),
        time_zone=fields.text(spec, "timeZone", "spec"),
        payload=None if payload == "" else payload,
        suspend=fields.flag(spec, "suspend", "spec"),
        concurrency_policy=policy,
        starting_deadline=_number(spec, "startingDeadlineSeconds", 0),
        successful_history=_number(spec, "successfulJobsHistoryLimit", DEFAULT_SUCCESSFUL_HISTORY),
        failed_history=_number(spec, "failedJobsHistoryLimit", DEFAULT_FAILED_HISTORY),
        backoff_limit=_number(spec, "backoffLimit", DEFAULT_BACKOFF_LIMIT),
    )


def function_of(obj: Mapping[str, Any]) -> str:
    """The name of the Function that a CronJobTrigger object calls; '' when it names none."""
    spec = obj.get("spec")
    name = spec.get("function-name") if isinstance(spec, dict) else None
    return name if isinstance(name, str) else ""


def _number(spec: Mapping[str, Any], key: str, default: int) -> int:
    value = fields.number(spec, key, "spec")
    return default if value is None else value
