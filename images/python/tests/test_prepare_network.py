"""Downloads of sources over TLS and through proxies."""

from __future__ import annotations

import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.certificates import issue

PROGRAM = Path(__file__).resolve().parents[1] / "kubeless_prepare"
SOURCE = b"def handler(event, context): pass\n"


class Site(http.server.BaseHTTPRequestHandler):
    """Has the source everywhere, tunnels to itself, and remembers what it was asked."""

    asked: list[tuple[str, str, str]]
    target: int

    def do_GET(self) -> None:
        self._remember()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SOURCE)

    def do_CONNECT(self) -> None:
        self._remember()
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(("127.0.0.1", self.target), timeout=10) as there:
            back = threading.Thread(target=pump, args=(there, self.connection))
            back.start()
            pump(self.connection, there)
            back.join()
        self.close_connection = True

    def _remember(self) -> None:
        self.asked.append((self.command, self.path, self.headers.get("Proxy-Authorization") or ""))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of them is gone


@contextmanager
def serving(context: ssl.SSLContext | None = None, target: int = 0) -> Iterator[Any]:
    """A server on a port of its own; ``target`` is the port that its tunnels lead to."""
    kind = type("Handler", (Site,), {"asked": [], "target": target})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def secure(tmp_path: Path) -> ssl.SSLContext:
    """What a server of `localhost` needs; its authority is in ca.crt."""
    issue(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    return context


def prepare(folder: Path, url: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program on an address, as the init container does."""
    (folder / "volume").mkdir()
    (folder / "source").write_text(url)
    return subprocess.run(
        [sys.executable, "-P", PROGRAM],
        env={
            "PATH": os.environ["PATH"],
            "KUBELESS_SOURCE_FILE": str(folder / "source"),
            "KUBELESS_SOURCE_CARRIER": "url",
            "KUBELESS_SOURCE_NAME": "hello.py",
            "KUBELESS_INSTALL_VOLUME": str(folder / "volume"),
            "KUBELESS_ALLOW_LOCAL_URLS": "true",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def fetched(folder: Path) -> bool:
    path = folder / "volume/hello.py"
    return path.is_file() and path.read_bytes() == SOURCE


def test_a_server_of_an_authority_that_was_given(tmp_path: Path, secure: ssl.SSLContext) -> None:
    with serving(secure) as server:
        url = f"https://localhost:{server.server_address[1]}/hello.py"
        done = prepare(tmp_path, url, KUBELESS_CA_BUNDLE=str(tmp_path / "ca.crt"))
    assert done.returncode == 0, done.stderr
    assert fetched(tmp_path)


def test_a_server_that_nobody_vouches_for(tmp_path: Path, secure: ssl.SSLContext) -> None:
    with serving(secure) as server:
        url = f"https://localhost:{server.server_address[1]}/hello.py"
        done = prepare(tmp_path, url, SSL_CERT_FILE="/dev/null")
    assert done.returncode == 1
    assert done.stderr.startswith(f"SourceUnavailable: {url}: ")
    assert "certificate verify failed" in done.stderr
    assert not fetched(tmp_path)


def test_a_proxy_is_asked_for_a_plain_address_as_a_whole(tmp_path: Path) -> None:
    with serving() as proxy:
        address = f"http://user:p%40ss@127.0.0.1:{proxy.server_address[1]}"
        done = prepare(tmp_path, "http://code.invalid/hello.py?v=1", http_proxy=address)
    assert done.returncode == 0, done.stderr
    assert fetched(tmp_path)
    credentials = "Basic dXNlcjpwQHNz"  # user:p@ss
    asked = proxy.RequestHandlerClass.asked
    assert asked == [("GET", "http://code.invalid/hello.py?v=1", credentials)]


def test_a_proxy_is_tunnelled_through_to_a_secure_address(
    tmp_path: Path, secure: ssl.SSLContext
) -> None:
    with serving(secure) as server, serving(target=server.server_address[1]) as proxy:
        address = f"http://127.0.0.1:{proxy.server_address[1]}"
        # Not to be found here: only the proxy knows where it is.
        done = prepare(
            tmp_path,
            "https://localhost:1/hello.py",
            https_proxy=address,
            KUBELESS_CA_BUNDLE=str(tmp_path / "ca.crt"),
        )
    assert done.returncode == 0, done.stderr
    assert fetched(tmp_path)
    assert proxy.RequestHandlerClass.asked == [("CONNECT", "localhost:1", "")]


def test_an_address_that_the_proxy_is_not_for(tmp_path: Path) -> None:
    with serving() as server, serving() as proxy:
        done = prepare(
            tmp_path,
            f"http://127.0.0.1:{server.server_address[1]}/hello.py",
            http_proxy=f"http://127.0.0.1:{proxy.server_address[1]}",
            no_proxy="127.0.0.1",
        )
    assert done.returncode == 0, done.stderr
    assert not proxy.RequestHandlerClass.asked
    assert server.RequestHandlerClass.asked == [("GET", "/hello.py", "")]
