"""A worker without Kafka: records are handed to it, a server on loopback is the function, letters go to a list."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from kubeless_kafka import delivery
from kubeless_kafka.config import Batch, Config, Function, Retry, Security
from kubeless_kafka.lanes import Letter
from kubeless_kafka.partition import Partition
from kubeless_kafka.producer import ProduceError
from kubeless_kafka.record import Record
from kubeless_kafka.starter import Starter
from kubeless_kafka.worker import Worker

Answer = Callable[[dict[str, str], bytes], Any]
CONFIG = Config(
    hash="h",
    namespace="default",
    trigger="orders",
    bootstrap_servers="none:1",
    topic="orders",
    security=Security(),
    functions=(),
    start_offset="latest",
    retry=Retry(3, 0.01, 0.05, {}),
    dead_letter_topic="orders.dlq",
    response_topic="",
    batch=None,
    max_in_flight=8,
    max_uncommitted=100,
    paused=False,
)


class Letters:
    """Takes the place of the producer. While ``broken`` nothing can be written; ``limit`` is the largest value it takes."""

    def __init__(self) -> None:
        self.broken = False
        self.limit: int | None = None
        self.tried = 0
        self.written: list[Letter] = []

    async def write(self, letter: Letter, source: str) -> None:
        self.tried += 1
        if self.broken:
            raise ProduceError("there is no such topic")
        if self.limit is not None and len(letter.value or b"") > self.limit:
            raise ProduceError("too large", too_large=True)
        self.written.append(letter)


class Bench:
    """One worker with one partition from offset 0, and its function."""

    def __init__(self, answer: Answer, **changes: Any) -> None:
        self._answer = answer
        self.config = replace(CONFIG, **changes)
        self.calls: list[tuple[str, bytes]] = []
        self.open = 0
        self.most_open = 0
        self.letters = Letters()
        self.partition = Partition(0, 0, committed=True, start="committed", metadata="")
        self.worker: Worker

    async def __aenter__(self) -> Bench:
        self._runner = web.ServerRunner(web.Server(self._serve))
        await self._runner.setup()
        await self.listen(0)
        self._client = delivery.session()
        self.function = Function("hello", f"http://127.0.0.1:{self.port}", "group", 1.0)
        self.worker = Worker(
            self.function,
            self.config,
            self._client,
            self.letters,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            dict,
            Starter("orders", "latest"),
        )
        self.worker.assigned([self.partition])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.worker.lost(list(self.worker.partitions.values()))
        await self.worker._tasks.cancel()
        await self._client.close()
        await self._runner.cleanup()

    async def listen(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()
        self.port: int = self._site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop_listening(self) -> None:
        await self._site.stop()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.calls.append((request.headers["event-id"], body))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            found = self._answer(dict(request.headers), body)
            if asyncio.iscoroutine(found):
                found = await found
        finally:
            self.open -= 1
        if found is None:
            assert request.transport is not None
            request.transport.abort()
            found = 500
        return found if isinstance(found, web.StreamResponse) else web.Response(status=found)

    def send(self, *records: tuple[str | None, bytes]) -> None:
        """Hand over records by key and value, at the next offsets."""
        first = self.partition.position
        self.partition.position += len(records)
        self.partition.handed += len(records)
        found = [
            Record("orders", 0, first + index, 0, key.encode() if key else None, value, (), 1)
            for index, (key, value) in enumerate(records)
        ]
        self.worker.received([(self.partition, found)])

    @property
    def watermark(self) -> int:
        return self.partition.tracker.watermark

    async def until(self, true: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait until something is true; fail when it does not become so."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not true():
            assert asyncio.get_running_loop().time() < deadline, self.calls[-5:]
            await asyncio.sleep(0.005)

    def ids(self) -> list[int]:
        """Offsets in the order of the calls."""
        return [int(name.split("/")[2].split("-")[0]) for name, _ in self.calls]

    def batch_sizes(self) -> list[int]:
        return [len(json.loads(body)) for _, body in self.calls]


@pytest.fixture
def bench() -> Iterator[Callable[..., None]]:
    """Runs ``test(bench)`` with a bench whose function answers as ``answer`` says."""

    def run(answer: Answer, test: Callable[[Bench], Awaitable[None]], **changes: Any) -> None:
        if isinstance(changes.get("batch"), tuple):
            changes["batch"] = Batch(*changes["batch"])

        async def whole() -> None:
            async with Bench(answer, **changes) as one:
                await test(one)

        asyncio.run(whole())

    return run  # type: ignore[return-value]
