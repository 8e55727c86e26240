"""Reading an answer of HTTP/1.1 to its end, without keeping it (RFC 9112)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from kubeless_call.errors import CallError

HEAD_LIMIT = 64 * 1024
LINE_LIMIT = 8 * 1024
CHUNK = 64 * 1024
# Of a body, for the message of a failure.
KEPT_BYTES = 300


class Answer:
    """``status`` and the ``beginning`` of the body, once ``read`` has come to the answer's end."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.status = 0
        self.reason = ""
        self.beginning = b""
        self._socket = connection
        self._deadline = deadline
        self._buffer = b""

    def read(self) -> None:
        """Read all of it. Raises CallError when it is none, or ends early, or takes longer than the deadline."""
        fields = self._head()
        while 100 <= self.status < 200:
            fields = self._head()
        if self.status in (204, 304):
            return
        if fields.get("transfer-encoding", "").lower().endswith("chunked"):
            self._chunks()
        elif "content-length" in fields:
            length = fields["content-length"]
            if not length.isascii() or not length.isdigit():
                raise CallError(f"no HTTP: a length of {length[:40]!r}")
            self._exactly(int(length))
        else:
            while self._buffer or self._fill():
                self._take(len(self._buffer))

    def _head(self) -> dict[str, str]:
        lines = self._until(b"\r\n\r\n", HEAD_LIMIT).decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        status, _, self.reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or len(status) != 3 or not status.isdigit():
            raise CallError(f"no HTTP: the answer begins with {lines[0][:80]!r}")
        self.status = int(status)
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return fields

    def _chunks(self) -> None:
        while True:
            size = self._until(b"\r\n", LINE_LIMIT).partition(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                raise CallError(f"no HTTP: a chunk of the size {size[:40]!r}") from None
            if not length:
                break
            self._exactly(length)
            if self._until(b"\r\n", LINE_LIMIT):
                raise CallError("no HTTP: a chunk is longer than its size")
        while self._until(b"\r\n", LINE_LIMIT):
            pass  # trailers

    def _exactly(self, length: int) -> None:
        while length:
            if not self._buffer and not self._fill():
                raise CallError(f"answered {self.status} and broke off in the body")
            length -= self._take(min(length, len(self._buffer)))

    def _until(self, end: bytes, limit: int) -> bytes:
        self._more(lambda: end in self._buffer, limit)
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def _more(self, enough: Callable[[], bool], limit: int) -> None:
        while not enough():
            if len(self._buffer) > limit:
                raise CallError(f"no HTTP: a line or head of more than {limit} bytes")
            if not self._fill():
                told = f"answered {self.status} and broke off" if self.status else "broke off"
                raise CallError(f"{told} before the answer's end")

    def _take(self, length: int) -> int:
        if len(self.beginning) < KEPT_BYTES:
            self.beginning += self._buffer[: min(length, KEPT_BYTES - len(self.beginning))]
        self._buffer = self._buffer[length:]
        return length

    def _fill(self) -> bool:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        data = self._socket.recv(CHUNK)
        self._buffer += data
        return bool(data)
