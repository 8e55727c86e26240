"""`kubeless trigger cronjob describe`: everything about one cronjob trigger on one page."""

from __future__ import annotations

import json
from typing import Any

import click

from kubeless_cli.description import describe, description_flags
from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_cli.page import pairs, render_page
from kubeless_cli.trigger import function_of, owner

Object = dict[str, Any]

# More of a payload is for -o yaml.
_SHOWN = 500


@click.command("describe", short_help="Show one cronjob trigger in full.")
@description_flags
def describe_cronjob(**options: Any) -> None:
    """Show the cronjob trigger NAME: what it is, how its last call went, and its conditions."""
    describe(CRONJOB_TRIGGER, options, page)


def page(trigger: Object) -> str:
    """The human page: fields, then conditions."""
    metadata, spec = trigger["metadata"], trigger.get("spec") or {}
    status = trigger.get("status") or {}
    rows = [
        ("Function:", function_of(trigger)),
        ("Made by:", f"the schedule of function {owner(trigger)}" if owner(trigger) else ""),
        ("Schedule:", spec.get("schedule") or ""),
        ("Time zone:", spec.get("timeZone") or ""),
        ("Suspended:", "yes" if spec.get("suspend") else ""),
        ("Payload:", _payload(spec.get("payload"))),
        ("Concurrency:", spec.get("concurrencyPolicy") or ""),
        ("Deadline:", _number(spec, "startingDeadlineSeconds", " s")),
        ("Retries:", _number(spec, "backoffLimit")),
        ("Jobs kept:", _kept(spec)),
        ("Label:", pairs(metadata.get("labels"))),
        ("Annotation:", pairs(metadata.get("annotations"))),
        ("CronJob:", status.get("cronJob") or ""),
        ("Last firing:", status.get("lastFiringTime") or ""),
        ("Result:", status.get("lastResult") or ""),
        ("Message:", status.get("lastMessage") or ""),
        ("Last failure:", status.get("lastFailureTime") or ""),
        ("Next firing:", status.get("nextFiringTime") or ""),
    ]
    return render_page(CRONJOB_TRIGGER, trigger, rows)


def _payload(value: Any) -> str:
    if value in (None, ""):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    rest = len(text) - _SHOWN
    return text if rest <= 0 else f"{text[:_SHOWN]}... ({rest} more characters)"


def _number(spec: Object, key: str, unit: str = "") -> str:
    return "" if spec.get(key) is None else f"{spec[key]}{unit}"


def _kept(spec: Object) -> str:
    limits = (
        ("successful", _number(spec, "successfulJobsHistoryLimit")),
        ("failed", _number(spec, "failedJobsHistoryLimit")),
    )
    return ", ".join(f"{limit} {word}" for word, limit in limits if limit)
