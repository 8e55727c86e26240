"""What a file, an archive, a URL becomes in a Function."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from kubeless_cli import source
from kubeless_cli.source import SourceError

BINARY = b"\x00\x01\xff"


@pytest.mark.parametrize(
    ("name", "data", "content_type"),
    [
        ("hello.py", "grüße\r\n".encode(), "text"),
        ("hello.pyc", BINARY, "base64"),
        ("latin1.py", "grüße".encode("latin-1"), "base64"),
        ("a.zip", BINARY, "base64+zip"),
        ("a.ZIP", BINARY, "base64+zip"),
        ("text-inside.zip", b"not really a zip", "base64+zip"),
        ("a.tar.gz", BINARY, "base64+compressedtar"),
        ("a.tgz", BINARY, "base64+compressedtar"),
        ("a.tar.bz2", BINARY, "base64+compressedtar"),
        ("a.tar.xz", BINARY, "base64+compressedtar"),
    ],
)
def test_the_suffix_says_what_a_file_is(name: str, data: bytes, content_type: str) -> None:
    found = source.from_bytes(data, name)
    assert found.content_type == content_type
    stored = found.content.encode()
    assert data == (stored if content_type == "text" else base64.b64decode(stored))


def test_the_checksum_is_of_the_bytes_and_not_of_their_encoding() -> None:
    expected = f"sha256:{hashlib.sha256(BINARY).hexdigest()}"
    assert source.from_bytes(BINARY, "a.zip").checksum == expected


@pytest.mark.parametrize(
    ("url", "content_type"),
    [
        ("https://host/hello.py", "url"),
        ("https://host/a.zip", "url+zip"),
        ("https://host/a.zip?raw=true#x", "url+zip"),
        ("HTTP://host/a.tar.gz", "url+compressedtar"),
    ],
)
def test_a_url_stays_a_url(url: str, content_type: str) -> None:
    assert source.is_url(url)
    found = source.from_url(url, "sha256:1")
    assert (found.content, found.content_type, found.checksum) == (url, content_type, "sha256:1")


def test_a_url_without_a_host_is_refused() -> None:
    with pytest.raises(SourceError, match="names no host"):
        source.from_url("https:///hello.py", "")


@pytest.mark.parametrize("data", [b"", b" \n\t\n"])
def test_an_empty_source_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match="is empty"):
        source.from_bytes(data, "hello.py")


def test_a_source_that_does_not_fit_is_refused_and_a_url_advised() -> None:
    source.from_bytes(b"x" * source.MAX_STORED_BYTES, "hello.py")
    with pytest.raises(SourceError, match=r"(?s)at most 1 MiB.*URL"):
        source.from_bytes(b"x" * (source.MAX_STORED_BYTES + 1), "hello.py")


def test_what_counts_is_the_size_once_encoded() -> None:
    with pytest.raises(SourceError, match="at most 1 MiB"):
        source.from_bytes(b"\x00" * (source.MAX_STORED_BYTES * 3 // 4 + 10), "a.zip")


def test_files_that_can_not_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        source.read_file(str(tmp_path / "nosuch"))
    with pytest.raises(SourceError, match="is a folder"):
        source.read_file(str(tmp_path))


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hello.py":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x = 1\n")
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Files) as http:
        thread = Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_download_gives_the_checksum_of_its_bytes(server: str) -> None:
    expected = source.checksum(b"x = 1\n")
    assert source.download_checksum(f"{server}/hello.py") == expected


def test_a_download_that_fails_says_how_to_go_on(server: str) -> None:
    with pytest.raises(SourceError, match=r"(?s)404.*--checksum none"):
        source.download_checksum(f"{server}/nosuch")


def test_a_host_that_does_not_answer_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(SourceError, match=r"(?s)can't be reached.*--checksum none"):
        source.download_checksum("http://127.0.0.1:1/hello.py")
