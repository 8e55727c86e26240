"""Publishing: records come as frames, and each is acknowledged by all replicas in sync."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import KafkaError, Message

from kubeless_kafka.admin.failure import Failure, failure_of
from kubeless_kafka.admin.frames import Body, FrameError
from kubeless_kafka.admin.kafka import Kafka

Object = dict[str, Any]
Frame = tuple[Object, list[Body]]

PROGRESS_SECONDS = 1.0


class Deliveries:
    """What became of records that were handed to a producer."""

    def __init__(self, what: Callable[[int], str]) -> None:
        self.places: dict[int, tuple[int, int]] = {}  # by the record's number
        self.failure: Failure | None = None
        self._what = what

    def callback(self, number: int) -> Callable[[KafkaError | None, Message], None]:
        """For the record of that number."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.places[number] = (message.partition() or 0, message.offset() or 0)
            elif self.failure is None:
                self.failure = failure_of(error, self._what(number))

        return delivered


def publish(
    kafka: Kafka,
    arguments: Object,
    frames: Iterator[Frame],
    progress: Callable[[Object], None],
) -> Object:
    """Publish the records that `frames` give, until the one that says that it is the end.

    A record's frame has ``headers`` (names) and the bodies key, value and one for each header.
    Returns how many there were, and where each is when the arguments ask for ``places``. Raises
    Failure, which says how many were published, FrameError.
    """
    topic = str(arguments["topic"])
    kafka.topic(topic)
    producer = kafka.producer()
    done = Deliveries(lambda number: f"record {number + 1}")
    count = 0
    told = time.monotonic()
    for head, bodies in frames:
        if head.get("end"):
            break
        key, value, headers = _record(head, bodies)
        while True:
            try:
                producer.produce(
                    topic, value, key, headers=headers, on_delivery=done.callback(count)
                )
                break
            except BufferError:  # full: wait for acknowledgements
                producer.poll(0.5)
        count += 1
        producer.poll(0)
        if done.failure is not None:
            break
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            progress({"published": len(done.places)})
    else:
        raise Failure(
            "Interrupted", f"The input ended before the end of the records: {_of(producer, done)}."
        )
    producer.flush()
    if done.failure is not None:
        raise Failure(
            done.failure.reason,
            f"{done.failure.message} {_of(producer, done).capitalize()}.",
        )
    last = done.places.get(count - 1)
    return {
        "published": len(done.places),
        **({"last": list(last)} if last else {}),
        **(
            {"places": [list(place) for _, place in sorted(done.places.items())]}
            if arguments.get("places")
            else {}
        ),
    }


def _record(head: Object, bodies: list[Body]) -> tuple[Body, Body, list[tuple[str, str | Body]]]:
    names = head.get("headers") or []
    if not isinstance(names, list) or len(bodies) != len(names) + 2:
        raise FrameError(f"a record with {len(bodies)} bodies; expected key, value and its headers")
    return bodies[0], bodies[1], [(str(n), b) for n, b in zip(names, bodies[2:], strict=True)]


def _of(producer: Any, done: Deliveries) -> str:
    producer.flush(10)
    count = len(done.places)
    return f"{count} record{'' if count == 1 else 's'} before it {'was' if count == 1 else 'were'} published"
