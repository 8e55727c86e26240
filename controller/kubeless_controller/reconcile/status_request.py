"""One request to a pod, with an end: whatever is on the other side, it takes no longer than it may.

The time-outs of HTTP clients are those of single reads; one who sends a byte
now and then would hold a worker for hours. Here the whole answer has a
deadline and a length.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import cast

PORT = 8080
PATH = "/status"
SECONDS = 2.0
MAX_BYTES = 1024 * 1024


class NoAnswer(Exception):
    """There is no answer that could be read; the message says why."""


def ask(address: str, port: int = PORT, seconds: float = SECONDS) -> bytes:
    """The body of ``GET /status`` at an IP address. Raises NoAnswer."""
    deadline = time.monotonic() + seconds
    host = f"[{address}]" if ":" in address else address
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json\r\n"
        "User-Agent: kubeless-controller\r\nConnection: close\r\n\r\n"
    )
    where = f"http://{host}:{port}{PATH}"
    try:
        with socket.create_connection((address, port), timeout=seconds) as connection:
            connection.sendall(request.encode("ascii"))
            received = _read(connection, deadline)
    except TimeoutError as error:
        raise NoAnswer(
            f"{where} does not answer within {seconds:g} s; does a NetworkPolicy keep the controller out?"
        ) from error
    except OSError as error:
        raise NoAnswer(f"{where} cannot be reached: {error.strerror or error}") from error
    return _body(received, where)


def _read(connection: socket.socket, deadline: float) -> bytes:
    """All that comes until the other side ends it. Raises TimeoutError, OSError, NoAnswer."""
    received = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(65536)
        if not chunk:
            return bytes(received)
        received += chunk
        if len(received) > MAX_BYTES:
            raise NoAnswer(f"it answers with more than {MAX_BYTES} bytes")


class _Received:
    """What was received, as the standard library's parser takes it from a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _body(received: bytes, where: str) -> bytes:
    response = http.client.HTTPResponse(cast(socket.socket, _Received(received)))
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError, OSError) as error:
        raise NoAnswer(
            f"{where} answers what is no HTTP ({type(error).__name__}: {error})"
        ) from error
    if response.status != 200:
        raise NoAnswer(f"{where} answers with {response.status} {response.reason[:80]}")
    return body
