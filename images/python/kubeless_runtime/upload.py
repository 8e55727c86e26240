"""The body of a request, read portion by portion while no thread waits for it.

- Only a whole body is handed on: one that breaks off (its client is gone, a chunk is
  malformed) is answered with 400, one that grows too large with 413.
- A body that does not arrive in time is the watchdog's, like any call.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, Protocol

from kubeless_runtime.calls import Call, Calls
from kubeless_runtime.futures import ready

#: Bytes of a refused body that are still read: most clients look for an answer when all is sent.
DISCARD = 8 * 1024 * 1024


class Reader(Protocol):
    """Whose the bodies are."""

    calls: Calls
    body_limit: int

    def whole(self, call: Call, body: bytes) -> None:
        """The body is there: go on with the call."""

    def broken(self, call: Call) -> None:
        """The body broke off: end the call."""

    def large(self, call: Call) -> None:
        """The body is too large: answer. What follows is read for a while, then the call ends."""


class Upload:
    """Reads one body. ``length`` is what its header says in bytes, -1 without one."""

    __slots__ = (
        "_call", "_future", "_length", "_portions", "_proto", "_reader", "_refused", "_size",
        "_token",
    )  # fmt: skip

    def __init__(self, reader: Reader, call: Call, length: int) -> None:
        self._reader = reader
        self._call = call
        self._token = call.token
        self._proto = call.watcher.proto
        self._length = length
        self._portions: list[bytes] = []
        self._size = 0
        self._refused = False
        self._future: Any = None

    def start(self) -> None:
        """Begin to read, on the thread that the request came on."""
        self._call.cancel = self._stop
        if self._length > self._reader.body_limit:
            self._refuse()
        self._go_on()

    def __call__(self, future: Any) -> None:
        """The next portion has arrived."""
        try:
            if self._take(future.result()):
                self._go_on()
        except BaseException:  # noqa: BLE001 (nobody is above to hear of it)
            traceback.print_exc(file=sys.stderr)

    def _go_on(self) -> None:
        while (proto := self._proto) is not None:
            self._future = future = proto.receive()
            if not self._token:  # time ran out meanwhile
                self._stop(True)
                return
            if not ready(future, self) or not self._take(future.result()):
                return

    def _take(self, message: dict[str, Any]) -> bool:
        """Take one portion; whether there is more to read."""
        more = message["type"] == "http.request" and message["more_body"]
        if self._refused:
            self._size += len(message.get("body", b""))
            if more and self._size < DISCARD:
                return True
            if self._claim():
                self._reader.calls.end(self._call)
            return False
        if message["type"] != "http.request":
            if self._claim():
                self._reader.broken(self._call)
            return False
        if portion := message["body"]:
            self._size += len(portion)
            if self._size > self._reader.body_limit:
                self._portions.clear()
                return self._refuse()
            self._portions.append(portion)
        if more and self._size != self._length:
            return True
        portions = self._portions
        if self._claim():
            self._reader.whole(
                self._call, portions[0] if len(portions) == 1 else b"".join(portions)
            )
        return False

    def _refuse(self) -> bool:
        self._refused = True
        self._size = 0
        if not self._token:
            return False
        self._reader.large(self._call)
        return True

    def _claim(self) -> bool:
        """Take the call for this thread; False when its time was over first."""
        self._future = None
        self._proto = None
        return self._reader.calls.claim(self._call, self._token)

    def _stop(self, force: bool) -> None:
        """Time is over: let go of what was not read, so that the connection can be closed."""
        future, self._future = self._future, None
        self._proto = None
        self._portions = []
        if future is not None:
            future.cancel()
