"""`kubeless trigger kafka describe`: everything about one Kafka trigger on one page."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import selector
from kubeless_cli.commands.trigger_kafka_list import assigned, number
from kubeless_cli.description import describe, description_flags
from kubeless_cli.kinds import KAFKA_TRIGGER
from kubeless_cli.page import pairs, render_page
from kubeless_cli.trigger import owner

Object = dict[str, Any]


@click.command("describe", short_help="Show one Kafka trigger in full.")
@description_flags
def describe_kafka(**options: Any) -> None:
    """Show the Kafka trigger NAME: what it is, how far it is, and its conditions."""
    describe(KAFKA_TRIGGER, options, page)


def page(trigger: Object) -> str:
    """The human page: fields, then conditions."""
    metadata, spec = trigger["metadata"], trigger.get("spec") or {}
    status = trigger.get("status") or {}
    retry, batch, error = spec.get("retry") or {}, spec.get("batch") or {}, status.get("lastError")
    rows = [
        ("Topic:", spec.get("topic") or ""),
        ("Functions:", selector.show(spec)),
        ("Made by:", f"the topic of function {owner(trigger)}" if owner(trigger) else ""),
        ("Servers:", spec.get("bootstrapServers") or ""),
        ("Credentials:", _credentials(spec)),
        ("Group:", spec.get("consumerGroup") or ""),
        ("Start offset:", spec.get("startOffset") or ""),
        ("Paused:", "yes" if spec.get("paused") else ""),
        ("Attempts:", number(retry, "attempts")),
        ("Backoff:", " to ".join(_texts(retry, "initialBackoff", "maxBackoff"))),
        ("Statuses:", pairs(retry.get("statuses"))),
        ("Batches:", ", ".join(_texts(batch, "size", "wait"))),
        ("In flight:", number(spec, "maxInFlight")),
        ("Uncommitted:", number(spec, "maxUncommitted")),
        ("Dead letters:", status.get("deadLetterTopic") or spec.get("deadLetterTopic") or ""),
        ("Answers:", spec.get("responseTopic") or ""),
        ("Label:", pairs(metadata.get("labels"))),
        ("Annotation:", pairs(metadata.get("annotations"))),
        ("Matched:", ", ".join(status.get("functions") or [])),
        ("Consumers:", number(status, "replicas")),
        ("Partitions:", assigned(status)),
        ("Lag:", number(status, "lag")),
        ("Began at:", status.get("startOffset") or ""),
        ("Last error:", _error(error) if error else ""),
    ]
    return render_page(KAFKA_TRIGGER, trigger, rows)


def _credentials(spec: Object) -> str:
    auth, tls = spec.get("auth") or {}, spec.get("tls") or {}
    found = [
        *(["TLS"] if tls.get("enabled") or tls.get("secretRef") else []),
        *_texts(auth, "mechanism"),
        *(
            f"Secret {part['secretRef']['name']}"
            for part in (auth, tls)
            if (part.get("secretRef") or {}).get("name")
        ),
    ]
    return ", ".join(found)


def _texts(part: Object, *keys: str) -> list[str]:
    return [str(part[key]) for key in keys if part.get(key) is not None]


def _error(error: Object) -> str:
    return f"{error.get('time', '')} {error.get('reason', '')}: {error.get('message', '')}".strip()
