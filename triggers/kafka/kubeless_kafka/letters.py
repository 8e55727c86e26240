"""What is produced for a record: the dead letter, or the function's answer."""

from __future__ import annotations

from kubeless_kafka import event
from kubeless_kafka.delivery import Answer
from kubeless_kafka.lanes import Item, Letter

PREFIX = "kubeless-dlq-"
MAX_ERROR_BYTES = 1000


def dead_letter(item: Item, topic: str, function: str, trigger: str) -> Letter:
    """The record as it was, with headers that say what happened to it.

    Of a record that has been a dead letter before, the old headers of that kind are replaced.
    """
    record = item.record
    own = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": "" if record.timestamp is None else str(record.timestamp),
        "attempts": str(item.attempts),
        "status": "" if item.status is None else str(item.status),
        "error": item.error,
        "function": function,
        "trigger": trigger,
    }
    names = {PREFIX + name for name in own}
    kept = tuple(pair for pair in record.headers if pair[0] not in names)
    added = tuple((PREFIX + name, text.encode()[:MAX_ERROR_BYTES]) for name, text in own.items())
    return Letter(topic, record.key, record.value, kept + added, dead=True)


def response(item: Item, answer: Answer, topic: str) -> Letter:
    """The function's answer, with the record's key."""
    record = item.record
    headers = [("event-id", record.id.encode())]
    if answer.content_type:
        headers.append(("content-type", answer.content_type.encode()))
    headers += [(name, text.encode()) for name, text in event.traces(record)]
    return Letter(topic, record.key, answer.body or b"", tuple(headers), dead=False)
