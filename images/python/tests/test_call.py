"""The program that a trigger's pods run: what it sends, and what it takes for a success."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "kubeless_call"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UID = "0b1c5e0e-0000-4000-8000-000000000001"

Call = Callable[..., "subprocess.CompletedProcess[str]"]


class Server:
    """Answers one call after the other with the bytes that it was given, and keeps what it got."""

    def __init__(self, *answers: bytes, port: int = 0, hold: float = 0.0) -> None:
        self._answers = list(answers)
        self._hold = hold
        self._over = threading.Event()
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._socket.close()
        self._thread.join(10)

    def _run(self) -> None:
        for answer in self._answers:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(10)
                got = b""
                while not self._whole(got):
                    data = connection.recv(65536)
                    if not data:
                        break
                    got += data
                self.requests.append(got)
                try:
                    connection.sendall(answer)
                    self._over.wait(self._hold)
                except OSError:
                    pass  # the caller has heard enough

    @staticmethod
    def _whole(got: bytes) -> bool:
        head, end, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
        return bool(end) and len(body) >= int(length[1] if length else 0)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server that gives these answers."""
    started: list[Server] = []

    def start(*answers: bytes, **options: Any) -> Server:
        started.append(Server(*answers, **options))
        return started[-1]

    yield start
    for server in started:
        server.close()


def run(port: int, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a trigger's pod does."""
    return subprocess.run(
        [sys.executable, "-I", "-S", PROGRAM],
        env={
            "KUBELESS_URL": f"http://127.0.0.1:{port}",
            "KUBELESS_HEADERS": "event-type: application/json\nevent-namespace: cronjobtrigger.kubeless.io",
            "KUBELESS_TIMEOUT": "10",
            "KUBELESS_CRONJOB": "trigger-hello",
            "KUBELESS_JOB_NAME": "trigger-hello-26824920",
            "KUBELESS_JOB_UID": UID,
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def lines(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """First line, headers and body of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    fields = [line.partition(": ") for line in rest]
    assert len({name.lower() for name, _, _ in fields}) == len(fields), "no header comes twice"
    return first, {name.lower(): value for name, _, value in fields}, body


def test_without_a_payload_it_is_a_get_without_a_body(serve: Callable[..., Server]) -> None:
    server = serve(OK)
    result = run(server.port)
    assert result.returncode == 0, result.stderr
    first, headers, body = lines(server.requests[0])
    assert (first, body) == ("GET / HTTP/1.1", b"")
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "kubeless-call",
        "accept": "*/*",
        "connection": "close",
        "content-type": "application/json",
        "event-type": "application/json",
        "event-namespace": "cronjobtrigger.kubeless.io",
        "event-id": UID,
        # The Job's name has the minutes since 1970.
        "event-time": "2021-01-01 10:00:00+00:00",
        "ce-id": UID,
        "ce-time": "2021-01-01T10:00:00Z",
    }


@pytest.mark.parametrize(
    "payload",
    [
        {"a": 'it\'s "quoted"\n$(date) ${HOME} `id` \\', "b": [1, None, True, 2.5]},
        "😀 Grüße \u0000",
        "x" * 300_000,
        0,
        [],
    ],
    ids=["shell", "unicode", "large", "zero", "empty"],
)
def test_a_payload_is_posted_as_it_is(
    serve: Callable[..., Server], tmp_path: Path, payload: Any
) -> None:
    file = tmp_path / "payload.json"
    file.write_text(json.dumps(payload, ensure_ascii=False), encoding="utf-8")
    server = serve(OK)
    result = run(server.port, KUBELESS_PAYLOAD=str(file))
    assert result.returncode == 0, result.stderr
    first, headers, body = lines(server.requests[0])
    assert first == "POST / HTTP/1.1"
    assert headers["content-length"] == str(len(body))
    assert json.loads(body) == payload


@pytest.mark.parametrize(
    "job", ["by-hand", "trigger-hello-3", "trigger-other-26824920", "trigger-hello-2682492x", ""]
)
def test_a_job_made_by_hand_is_of_now(serve: Callable[..., Server], job: str) -> None:
    server = serve(OK)
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert run(server.port, KUBELESS_JOB_NAME=job).returncode == 0
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _, headers, _ = lines(server.requests[0])
    assert before <= headers["ce-time"] <= after
    assert headers["event-time"] == headers["ce-time"].replace("T", " ").replace("Z", "+00:00")


def chunked(*parts: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-length:  2 \r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the connection ends",
        chunked(b"a", b"b" * 70_000) + b"0\r\n\r\n",
        chunked(b"a") + b"0\r\ntrailer: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000_000,
    ],
    ids=["empty", "204", "continue", "until-end", "chunked", "trailers", "big"],
)
def test_whole_answers_of_2xx_are_a_success(serve: Callable[..., Server], answer: bytes) -> None:
    server = serve(answer)
    result = run(server.port)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\na\nb\nc",
            "answered 500 Internal Server Error: a b c",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "answered 302 Found"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "answered 304"),
        (b"HTTP/1.1 503 \r\n\r\n", "answered 503"),
        (b"HTTP/1.1 500 X\r\n\r\n" + b"y" * 100_000, "answered 500 X: " + "y" * 300 + "\n"),
        (b"HTTP/1.1 500 X\r\n\r\n\xff\xfe", "answered 500 X: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "broke off in the body"),
        (chunked(b"a"), "answered 200 and broke off before the answer's end"),
        (chunked(b"a") + b"zz\r\n", "a chunk of the size b'zz'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a length of '-1'"),
        (b"", "broke off before the answer's end"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP: the answer begins with 'SSH-2.0-OpenSSH'"),
        (b"HTTP/1.1 200 OK\r\n" + b"x" * 200_000, "a line or head of more than 65536 bytes"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:20],
)
def test_everything_else_is_a_failure_with_one_line_why(
    serve: Callable[..., Server], answer: bytes, told: str
) -> None:
    server = serve(answer)
    result = run(server.port)
    assert result.returncode == 1
    assert result.stderr.startswith(f"kubeless: http://127.0.0.1:{server.port}: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_function_that_is_not_reached_yet_is_tried_again(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    late = threading.Timer(1.0, lambda: serve(OK, port=port))
    late.start()
    try:
        assert run(port).returncode == 0
    finally:
        late.join()


def test_one_that_is_never_reached_fails_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = run(port, KUBELESS_TIMEOUT="0.6")
    assert result.returncode == 1
    assert f"127.0.0.1:{port} cannot be reached: " in result.stderr
    unknown = run(80, KUBELESS_URL="http://nowhere.invalid:80", KUBELESS_TIMEOUT="0.6")
    assert unknown.returncode == 1
    assert "nowhere.invalid:80 cannot be reached: " in unknown.stderr


def test_one_that_answers_slowly_is_given_up(serve: Callable[..., Server]) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow", hold=20)
    result = run(server.port, KUBELESS_TIMEOUT="1")
    assert result.returncode == 1
    assert "answered 200 and did not end within 1 s" in result.stderr


def test_wrong_settings_are_said(tmp_path: Path) -> None:
    result = run(1, KUBELESS_URL="https://x")
    assert "found the address 'https://x', expected one like" in result.stderr
    result = run(1, KUBELESS_PAYLOAD=str(tmp_path / "none"))
    assert f"the payload {tmp_path}/none cannot be read" in result.stderr


def test_it_needs_little() -> None:
    """What makes a pod of it small: no TLS, no mail parser, no site packages."""
    look = (
        "import sys; sys.argv = ['x']; sys.path.insert(0, sys.exec_prefix)\n"
        f"sys.path[0] = {str(PROGRAM.parent)!r}\n"
        "import kubeless_call.__main__\n"
        "print(' '.join(sys.modules))"
    )
    command = [sys.executable, "-I", "-S", "-c", look]
    loaded = subprocess.run(
        command, capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert not {"ssl", "http.client", "email", "json", "urllib.parse", "site"} & set(
        loaded.stdout.split()
    )
