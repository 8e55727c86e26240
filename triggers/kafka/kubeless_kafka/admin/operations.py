"""Which operation a request asks for, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kubeless_kafka.admin import dead_letters, publish, topics, users
from kubeless_kafka.admin.dead_letters import DeadLetters
from kubeless_kafka.admin.failure import Failure
from kubeless_kafka.admin.frames import Body
from kubeless_kafka.admin.kafka import Kafka
from kubeless_kafka.admin.redrive import Redrive

Object = dict[str, Any]
Frame = tuple[Object, list[Body]]
Tell = Callable[[Object, list[Body]], None]

VERSION = 1


def answer(
    request: Frame, more: Iterator[Frame], tell: Tell, auth_dir: Path, tls_dir: Path
) -> Object:
    """Do what the request asks for and return its result; `tell` hears what comes before the end.

    ``more`` gives the frames after the request. Raises Failure.
    """
    head, bodies = request
    if head.get("version") != VERSION:
        raise Failure(
            "VersionMismatch",
            f"The command line speaks version {head.get('version')!r} of the protocol, this image "
            f"version {VERSION}: use a command line of the installation's version.",
        )
    operation = head.get("operation")
    arguments = head.get("arguments") or {}
    kafka = Kafka.of(head.get("connection") or {}, auth_dir, tls_dir)
    simple: dict[Any, Callable[[Kafka, Object], Object]] = {
        "topic.create": topics.create,
        "topic.list": topics.list_topics,
        "topic.delete": topics.delete,
        "user.list": users.list_users,
        "user.delete": users.delete,
    }
    if operation in simple:
        return simple[operation](kafka, arguments)
    if operation == "user.create":
        return users.create(kafka, arguments, bodies[0] if bodies else None)
    if operation == "publish":
        return publish.publish(
            kafka, arguments, more, lambda state: tell({"type": "progress", **state}, [])
        )
    if str(operation).startswith("dlq."):
        return _dead_letters(str(operation), kafka, arguments, tell)
    raise Failure("UnknownOperation", f"There is no operation {operation!r} in this image.")


def _dead_letters(operation: str, kafka: Kafka, arguments: Object, tell: Tell) -> Object:
    letters = DeadLetters(kafka, str(arguments["topic"]), str(arguments["group"]))
    try:
        if operation == "dlq.list":
            for head, bodies in dead_letters.list_records(letters, arguments):
                tell({"type": "item", **head}, bodies)
            return dead_letters.counts(letters)
        if operation == "dlq.show":
            head, bodies = dead_letters.show(letters, arguments)
            tell({"type": "item", **head}, bodies)
            return {}
        if operation == "dlq.redrive":
            return Redrive(kafka, letters, arguments).run(tell)
    finally:
        letters.consumer.close()
    raise Failure("UnknownOperation", f"There is no operation {operation!r} in this image.")
