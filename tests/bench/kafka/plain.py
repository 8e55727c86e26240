"""What the consumer is measured against: a loop that reads records and posts them, and guarantees nothing.

Usage: python -m bench.kafka.plain BOOTSTRAP TOPIC URL BATCH. Reads by confluent-kafka, posts by aiohttp, as many calls
side by side as the consumer has in flight, with the same headers and bodies. No order, no retry, no answer is looked at;
offsets are committed whatever became of the records.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
from confluent_kafka import Consumer, Message

from kubeless_kafka import batches, event
from kubeless_kafka.record import Record

IN_FLIGHT = 32
SOURCE = event.source("default", "test")


async def main() -> None:
    """Read and post until the end."""
    bootstrap, topic, url, batch = (*sys.argv[1:4], int(sys.argv[4]))
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "plain", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    size = max(1, batch)
    called: Callable[[list[Record]], dict[str, Any]] = together if batch else alone
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post(records: list[Record]) -> None:
            async with session.post(url, **called(records)) as answer:
                await answer.read()

        while True:
            messages = await asyncio.to_thread(consumer.consume, IN_FLIGHT * size, 0.1)
            records = [record_of(message) for message in messages]
            await asyncio.gather(
                *(post(records[at : at + size]) for at in range(0, len(records), size))
            )


def alone(records: list[Record]) -> dict[str, Any]:
    """A call with one record."""
    (record,) = records
    return {"data": record.value, "headers": event.headers(record, SOURCE)}


def together(records: list[Record]) -> dict[str, Any]:
    """A call with a batch, which may be of several partitions."""
    return {"data": batches.body(records, SOURCE), "headers": batches.headers(records)}


def record_of(message: Message) -> Record:
    """What the consumer makes of it, too."""
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=(),
        size=len(message),
    )


if __name__ == "__main__":
    asyncio.run(main())
