"""Async handlers: one event loop in a thread of its own, made for the first of them.

A call's thread waits for its coroutine. Timeouts cancel the task; a coroutine
that keeps the loop busy instead of awaiting is interrupted on the loop's thread,
and only while its own task is the one that runs.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from kubeless_runtime.calls import Call, RequestTimeout, _raise_in


class HandlerExit(Exception):
    """An async handler called sys.exit, which would end the loop's thread."""


class Loop:
    """The event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="async-handlers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except RequestTimeout:
                continue  # it hit the loop between two tasks: go on

    def wait(self, awaitable: Awaitable[Any], call: Call) -> Any:
        """The result of an awaitable of this call. Raises what it raises, RequestTimeout."""
        tasks: list[asyncio.Task[Any]] = []

        async def run() -> Any:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            try:
                return await awaitable
            except SystemExit as error:
                raise HandlerExit(f"SystemExit: {error.code}") from error

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)

        def cancel(force: bool) -> None:
            future.cancel()
            if force and tasks and asyncio.current_task(self._loop) is tasks[0]:
                ident = self._thread.ident
                assert ident is not None
                _raise_in(ident, RequestTimeout)

        call.cancel = cancel
        try:
            result = future.result()
        except BaseException as error:
            if not call.token:  # the watchdog has the call: whatever came out, its time is over
                self._until_done(tasks)
                raise RequestTimeout from error
            raise
        call.cancel = None
        return result

    def _until_done(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Wait for the coroutine itself: the future is cancelled before its task has ended."""
        ended = threading.Event()
        if tasks:
            self._loop.call_soon_threadsafe(tasks[0].add_done_callback, lambda _: ended.set())
            ended.wait()

    def iterate(self, source: AsyncIterator[Any], call: Call) -> Iterator[Any]:
        """An async iterator as an iterator for the call's own thread."""

        async def step() -> Any:
            return await source.__anext__()

        try:
            while True:
                try:
                    yield self.wait(step(), call)
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:  # nobody waits: whoever would take the rest is gone
                asyncio.run_coroutine_threadsafe(_closed(close), self._loop)


async def _closed(close: Callable[[], Awaitable[None]]) -> None:
    try:
        await close()
    except Exception:  # noqa: BLE001 (what a handler's cleaning up raises is for the log)
        traceback.print_exc(file=sys.stderr)
