"""Asking a pod, over real sockets: whatever is there, the answer has an end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kubeless_controller.reconcile.status_request import NoAnswer, ask
from support.run_queue import RunQueue

Serve = Callable[[Callable[[socket.socket], None]], int]
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that handles one connection as told; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def start(handle: Callable[[socket.socket], None]) -> int:
        def run() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    handle(connection)
            except OSError:
                return  # the other side has gone

        threading.Thread(target=run, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    listener.close()


def fails(port: int, seconds: float = 0.5) -> str:
    started = time.monotonic()
    with RunQueue() as queue, pytest.raises(NoAnswer) as caught:
        ask("127.0.0.1", port, seconds)
    assert time.monotonic() - started - queue.seconds < seconds + 1
    return str(caught.value)


def test_an_answer(serve: Serve) -> None:
    port = serve(lambda one: one.sendall(OK + b"Content-Length: 2\r\n\r\n{}"))
    assert ask("127.0.0.1", port) == b"{}"


def test_an_answer_in_pieces(serve: Serve) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    port = serve(lambda one: [one.sendall(bytes([byte])) for byte in OK + chunked] and None)
    assert ask("127.0.0.1", port) == b"{}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "is no HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "is no HTTP"),
        (OK + b"Content-Length: 9\r\n\r\n{}", "is no HTTP"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answers with 404 Not Found"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answers with 302 Found"),
        (OK + b"\r\n" + b"x" * 1_100_000, "more than 1048576 bytes"),
    ],
)
def test_what_is_no_answer(serve: Serve, answer: bytes, said: str) -> None:
    assert said in fails(serve(lambda one: one.sendall(answer)), 2)


def test_a_drop_now_and_then_holds_nobody_up(serve: Serve) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(OK)
        while True:
            connection.sendall(b"X-Drop: 1\r\n")
            time.sleep(0.05)

    assert "does not answer within 0.5 s" in fails(serve(drip))


def test_silence(serve: Serve) -> None:
    assert "does not answer within 0.5 s" in fails(serve(lambda _: time.sleep(5)))


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "cannot be reached: Connection refused" in fails(port)
