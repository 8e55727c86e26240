"""The client of every test: plain HTTP, and raw bytes where HTTP libraries are too polite."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from support.run_queue import RunQueue


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; header names in lower case, time in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


#: What a connection may fail with when its server is going or drops it.
BROKEN = (OSError, http.client.HTTPException)


@dataclass
class Client:
    """Talks to one server."""

    host: str
    port: int

    def request(
        self,
        method: str = "GET",
        path: str = "/",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Reply:
        """One call on a connection of its own."""
        with contextlib.closing(self.connection(timeout)) as connection:
            return exchange(connection, method, path, body, headers)

    def connection(self, timeout: float = 30) -> http.client.HTTPConnection:
        """A connection that is kept."""
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def get(self, path: str = "/", **headers: str) -> Reply:
        """GET with these headers."""
        return self.request("GET", path, headers=headers)

    def post(self, data: bytes | str, content_type: str = "", **headers: str) -> Reply:
        """POST to /; no Content-Type when it is ''."""
        if content_type:
            headers["Content-Type"] = content_type
        body = data.encode() if isinstance(data, str) else data
        return self.request("POST", "/", body, headers)

    def json(self, value: Any) -> Reply:
        """POST a JSON value."""
        return self.post(json.dumps(value), "application/json")

    def parallel(self, count: int, *arguments: Any, **options: Any) -> list[Reply]:
        """The same request from ``count`` clients at once."""
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.request(*arguments, **options), range(count)))

    @contextlib.contextmanager
    def socket(self, timeout: float = 10) -> Iterator[socket.socket]:
        """A bare connection."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as sock:
            yield sock

    def raw(self, data: bytes, timeout: float = 1, until: bytes = b"") -> bytes:
        """All that the server sends for these bytes until it closes, falls silent or said ``until``."""
        with self.socket(timeout) as sock:
            # A server that has refused may close before everything is sent.
            with contextlib.suppress(ConnectionError):
                sock.sendall(data)
            return receive(sock, until)

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample of /metrics by its name and sorted labels, as Prometheus' own parser reads it."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
            for family in text_string_to_metric_families(self.get("/metrics").text)
            for sample in family.samples
        }

    def run_queue(self) -> RunQueue:
        """How long it and its client wait for a processor, as far as that is seen from here."""
        return RunQueue()

    def metric(self, name: str, **labels: str) -> float:
        """One sample; 0 when there is none."""
        return self.metrics().get((name, tuple(sorted(labels.items()))), 0.0)


def exchange(
    connection: http.client.HTTPConnection,
    method: str = "GET",
    path: str = "/",
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One call on a connection that stays open."""
    start = time.monotonic()
    connection.request(method, path, body=body, headers=dict(headers or {}))
    response = connection.getresponse()
    content = response.read()
    lower = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, lower, content, time.monotonic() - start)


def receive(sock: socket.socket, until: bytes = b"") -> bytes:
    """Everything until the server closes or falls silent, or ``until`` was received."""
    received = b""
    try:
        while chunk := sock.recv(65536):
            received += chunk
            if until and until in received:
                break
    except (TimeoutError, ConnectionError):
        pass
    return received


def statuses(received: bytes) -> list[int]:
    """The status codes of answers that came one after the other."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", received)]


def eventually(condition: Any, what: str, seconds: float = 10, pause: float = 0.01) -> Any:
    """The condition's first true value; fails saying ``what`` when it stays false."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}; last seen: {value!r}")
        time.sleep(pause)
