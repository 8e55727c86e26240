"""The input and output of a container that runs, over a WebSocket of the API server.

One thread does both directions: while bytes are waiting to be sent, what comes is read, so that
neither side ever waits for the other. A message is one byte, the channel, and then data.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from kubernetes.client.configuration import Configuration
from kubernetes.stream.ws_client import create_websocket
from websocket import ABNF, WebSocketBadStatusException, WebSocketException

from kubeless_kube.errors import ApiError, Unreachable, error_from_response

STDIN, STDOUT, STDERR, STATUS = 0, 1, 2, 3
PROTOCOL = "v4.channel.k8s.io"
CHUNK = 32 * 1024
# Between the first and the last byte of a frame.
FRAME_SECONDS = 60.0


class Attachment:
    """An attached container. Not for several threads."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self._socket: socket.socket = websocket.sock
        self._out: deque[memoryview] = deque()
        self._open = True

    def exchange(self, data: bytes, patience: float) -> Iterator[tuple[int, bytes]]:
        """Send all of `data` and yield what comes meanwhile: channel and bytes, never empty.

        Without data, yields what comes within `patience` seconds, and ends after the first of it.
        Ends when the other side closed: see `closed`. Raises Unreachable when the connection breaks,
        or takes no byte for `patience` seconds.
        """
        for start in range(0, len(data), CHUNK):
            self._queue(bytes([STDIN]) + data[start : start + CHUNK])
        sending = bool(data)
        deadline = time.monotonic() + patience
        while self._open and (self._out or not sending):
            ready = self._wait(deadline - time.monotonic())
            if not ready:
                if sending:
                    raise Unreachable(f"the pod took no data for {patience:.0f} s")
                return
            try:
                came = self._receive() if ready & selectors.EVENT_READ else None
                if ready & selectors.EVENT_WRITE and self._send():
                    deadline = time.monotonic() + patience
            except (WebSocketException, OSError) as error:
                self._open = False
                raise Unreachable(f"the connection to the pod broke: {error}") from error
            if came is not None:
                yield came
                deadline = time.monotonic() + patience
                if not sending:
                    return

    @property
    def closed(self) -> bool:
        """Whether the other side has ended it."""
        return not self._open

    def close(self) -> None:
        """End it; the container's input ends with that, when it asked to be attached to once."""
        self._open = False
        self._websocket.shutdown()

    def _wait(self, seconds: float) -> int:
        """What can be done now: EVENT_READ, EVENT_WRITE, both, or 0 after `seconds`."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return events
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, events)
            found = selector.select(max(seconds, 0.0))
        return found[0][1] if found else 0

    def _queue(self, payload: bytes, opcode: int = ABNF.OPCODE_BINARY) -> None:
        self._out.append(memoryview(ABNF.create_frame(payload, opcode).format()))

    def _send(self) -> bool:
        self._socket.settimeout(0)
        try:
            sent = self._socket.send(self._out[0])
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        rest = self._out.popleft()[sent:]
        if rest:
            self._out.appendleft(rest)
        return sent > 0

    def _receive(self) -> tuple[int, bytes] | None:
        self._socket.settimeout(FRAME_SECONDS)
        frame = self._websocket.recv_frame()
        if frame.opcode == ABNF.OPCODE_PING:
            self._queue(frame.data, ABNF.OPCODE_PONG)
        elif frame.opcode == ABNF.OPCODE_CLOSE:
            self._open = False
        elif frame.opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and len(frame.data) > 1:
            return frame.data[0], bytes(frame.data[1:])
        return None


def connect(configuration: Configuration, url: str, authorization: str) -> Attachment:
    """Attach by the `url` of the API server. Raises ApiError, Unreachable."""
    headers = {"sec-websocket-protocol": PROTOCOL}
    if authorization:
        headers["authorization"] = authorization
    address = url.replace("http", "ws", 1)
    try:
        return Attachment(create_websocket(configuration, address, headers))
    except WebSocketBadStatusException as error:
        raise _refused(error) from error
    except (WebSocketException, OSError) as error:
        raise Unreachable(f"{configuration.host} did not answer: {error}") from error


def _refused(error: Any) -> ApiError:
    return error_from_response(error.status_code, "", bytes(error.resp_body or b""))
