"""A function that costs next to nothing, so that what is measured is the consumer.

Usage: python -m bench.kafka.function PORT. Each POST is answered 200. A body that is a number is the time at which the
record was sent. GET gives {"records", "latencies" in seconds} since the last GET.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#: The longest body that is looked at for a time.
TIME_LENGTH = 20


class Counts:
    """What came in since it was last asked."""

    def __init__(self) -> None:
        self.records = 0
        self.latencies: list[float] = []

    def add(self, body: bytes) -> None:
        # A batch has one of these for each record.
        self.records += body.count(b'"specversion"') or 1
        if len(body) <= TIME_LENGTH:
            with contextlib.suppress(ValueError):
                self.latencies.append(time.time() - float(body))

    def take(self) -> bytes:
        """The counts as JSON; begins anew."""
        found = {"records": self.records, "latencies": self.latencies}
        self.records, self.latencies = 0, []
        return json.dumps(found).encode()


COUNTS = Counts()


class Server(asyncio.Protocol):
    """As much of HTTP/1.1 as a client with Content-Length and keep-alive needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._request()) is not None:
            method, body = request
            if method == b"GET":
                answer = COUNTS.take()
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer)
                self._transport.write(head + answer)  # type: ignore[attr-defined]
            else:
                COUNTS.add(body)
                self._transport.write(OK)  # type: ignore[attr-defined]

    def _request(self) -> tuple[bytes, bytes] | None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        _, found, length = head.lower().partition(b"content-length:")
        size = int(length.partition(b"\r\n")[0]) if found else 0
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        return head.partition(b" ")[0], rest[:size]


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
