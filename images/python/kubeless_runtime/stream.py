"""An answer that is made while it is sent.

- Not more is made than the client takes: a few chunks lie ready.
- A client that went away ends it, as soon as the next chunk is made.
- What fails half-way is cut off: the connection is closed without the end of the body.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from kubeless_runtime.calls import Call, RequestTimeout
from kubeless_runtime.futures import ready
from kubeless_runtime.response import ReturnError


class Stream:
    """Sends an iterator's chunks as the body of a call's answer."""

    def __init__(self, call: Call, source: Iterator[Any]) -> None:
        self._call = call
        self._proto = call.watcher.proto
        self._source = source
        self._gone = False
        self._wake = threading.Event()
        #: Bytes sent so far.
        self.size = 0

    def send(self, start: dict[str, Any], *, body: bool) -> None:
        """Send everything; without ``body`` only the head. Raises what the iterator raises."""
        try:
            self._proto.send(start)
            self._proto.send(_part(b"", more=True))  # the head does not wait for the first chunk
            if body:
                self._watch()
                for chunk in self._source:
                    data = chunk.encode() if isinstance(chunk, str) else bytes(_checked(chunk))
                    if self._gone:
                        break
                    if data:
                        self._push(data)
        finally:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()

    def end(self) -> None:
        """The body is complete."""
        self._proto.send(_part(b"", more=False))

    def _push(self, data: bytes) -> None:
        future = self._proto.send(_part(data, more=True))
        self.size += len(data)
        if not hasattr(future, "add_done_callback"):
            return  # there was room for it
        self._wake.clear()
        self._call.cancel = lambda force: self._wake.set()
        if not ready(future, lambda _: self._wake.set()) and not self._gone:
            self._wake.wait()
        self._call.cancel = None
        if not self._call.token:  # the watchdog has the call
            raise RequestTimeout

    def _watch(self) -> None:
        """Learn when the client goes away: the last thing there is to receive."""
        future = self._proto.receive()
        while ready(future, self):
            if future.result()["type"] == "http.disconnect":
                self._leave()
                return
            future = self._proto.receive()

    def __call__(self, future: Any) -> None:
        """There was something to receive."""
        with contextlib.suppress(Exception):
            if future.result()["type"] == "http.disconnect":
                self._leave()
            else:
                self._watch()

    def _leave(self) -> None:
        self._gone = True
        self._wake.set()


def _part(data: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _checked(chunk: Any) -> Any:
    if not isinstance(chunk, bytes | bytearray | memoryview):
        raise ReturnError(
            f"the handler's iterator gave a {type(chunk).__name__}; it may give text or bytes"
        )
    return chunk
