"""The configuration that a trigger's consumers read, and read again whenever it changes.

Functions come and go in it, so that no pod is started anew for them. Its
``hash`` comes back in what the consumers say of themselves: so it is known
which of them go by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kubeless_api import kafka_trigger, names
from kubeless_api.kafka_trigger import KafkaTrigger
from kubeless_controller.desired.consumer_name import name_of
from kubeless_controller.desired.owned import metadata, stamped

Object = dict[str, Any]

VERSION = 1
FILE = "config.json"


@dataclass(frozen=True)
class Callee:
    """A Function that is called: its name, its address without a path, and how many seconds it may take."""

    name: str
    url: str
    timeout: float


def content(trigger: KafkaTrigger, callees: Sequence[Callee], *, topic_missing: bool) -> Object:
    """The configuration as an object, with its hash.

    A topic that was seen to be missing is read from its start, once it is there: what was written before the consumers
    knew of it would be skipped otherwise.
    """
    connection = trigger.connection
    body: Object = {
        "version": VERSION,
        "namespace": trigger.namespace,
        "trigger": trigger.name,
        "bootstrapServers": connection.bootstrap_servers,
        "topic": trigger.topic,
        "security": {"protocol": connection.protocol, "mechanism": connection.mechanism},
        "functions": [
            {**asdict(callee), "group": trigger.group_of(callee.name)}
            for callee in sorted(callees, key=lambda callee: callee.name)
        ],
        "startOffset": kafka_trigger.EARLIEST if topic_missing else trigger.start_offset,
        "retry": {
            "attempts": trigger.retry.attempts,
            "initialBackoff": trigger.retry.initial_backoff,
            "maxBackoff": trigger.retry.max_backoff,
            "statuses": dict(trigger.retry.statuses),
        },
        "deadLetterTopic": trigger.dead_letter_topic,
        "responseTopic": trigger.response_topic,
        "batch": None if trigger.batch is None else asdict(trigger.batch),
        "maxInFlight": trigger.max_in_flight,
        "maxUncommitted": trigger.max_uncommitted,
        "paused": trigger.paused,
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return {**body, "hash": hashlib.sha256(text.encode()).hexdigest()[:16]}


def build(trigger: KafkaTrigger, found: Object) -> Object:
    """Build the ConfigMap that carries this content; its name never changes, since no pod shall start for a change."""
    return stamped(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(
                trigger,
                name_of(trigger.name),
                {
                    names.LABEL_CREATED_BY: names.CREATED_BY,
                    names.LABEL_TRIGGER: names.KAFKA_TRIGGER,
                },
            ),
            "data": {FILE: json.dumps(found, indent=1, sort_keys=True) + "\n"},
        }
    )
