"""Preparing sources: what is fetched, checked and unpacked, and what is refused."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "kubeless_prepare"
SOURCE = b"def handler(event, context): pass\n"

Prepare = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def prepare(tmp_path: Path, volume: Path) -> Prepare:
    """Run the program on a source, as the init container does."""

    def run(
        content: bytes, *, carrier: str = "file", archive: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        given = tmp_path / "source"
        given.write_bytes(content)
        return subprocess.run(
            [sys.executable, "-P", PROGRAM],
            env={
                "PATH": os.environ["PATH"],
                "KUBELESS_SOURCE_FILE": str(given),
                "KUBELESS_SOURCE_CARRIER": carrier,
                "KUBELESS_SOURCE_ARCHIVE": archive,
                "KUBELESS_SOURCE_NAME": "hello.py",
                "KUBELESS_INSTALL_VOLUME": str(volume),
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def zipped(*entries: tuple[str, bytes], mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def tarred(*entries: tarfile.TarInfo | tuple[str, bytes], compression: str = "gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def test_a_file_is_called_as_the_handler_wants(prepare: Prepare, volume: Path) -> None:
    assert prepare(SOURCE).returncode == 0
    assert (volume / "hello.py").read_bytes() == SOURCE


def test_an_earlier_try_leaves_nothing(prepare: Prepare, volume: Path) -> None:
    (volume / "old").mkdir()
    (volume / "old" / "file").write_text("x")
    (volume / "link").symlink_to("/etc")
    assert prepare(SOURCE).returncode == 0
    assert [entry.name for entry in volume.iterdir()] == ["hello.py"]


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_archives_bring_modules_and_data(prepare: Prepare, volume: Path, compression: str) -> None:
    entries = (("./hello.py", SOURCE), ("lib/more.py", b"x = 1"), ("data/ä.txt", "ü".encode()))
    assert (
        prepare(tarred(*entries, compression=compression), archive="compressedtar").returncode == 0
    )
    assert (volume / "lib/more.py").read_text() == "x = 1"
    assert (volume / "data/ä.txt").read_text() == "ü"


def test_a_zip_brings_modules_and_plain_permissions(prepare: Prepare, volume: Path) -> None:
    content = zipped(("hello.py", SOURCE), ("lib/", b""), ("lib/more.py", b"x = 1"), mode=0o104755)
    result = prepare(content, archive="zip")
    assert result.returncode == 0, result.stderr
    assert stat.S_IMODE((volume / "hello.py").stat().st_mode) & 0o7111 == 0


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/out", "a\\..\\..\\out", "\\out", "C:/out", "a/b/../../../out"],
)
@pytest.mark.parametrize("kind", ["zip", "compressedtar"])
def test_nothing_leads_out_of_the_archive(
    prepare: Prepare, volume: Path, name: str, kind: str
) -> None:
    make = zipped if kind == "zip" else tarred
    result = prepare(make(("hello.py", SOURCE), (name, b"x")), archive=kind)
    assert result.returncode == 1
    assert result.stderr.startswith("SourceInvalid: the archive has an entry that leads out of it")
    assert not (volume.parent / "out").exists()


@pytest.mark.parametrize(
    "entry",
    [
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("link", tarfile.LNKTYPE, "hello.py"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=["symbolic link", "hard link", "device", "pipe"],
)
def test_only_files_and_folders_come_out_of_a_tar(prepare: Prepare, entry: tarfile.TarInfo) -> None:
    result = prepare(tarred(("hello.py", SOURCE), entry), archive="compressedtar")
    assert result.returncode == 1
    assert "neither a file nor a folder" in result.stderr


def test_no_link_comes_out_of_a_zip(prepare: Prepare) -> None:
    result = prepare(zipped(("hello.py", b"/etc/passwd"), mode=0o120777), archive="zip")
    assert result.returncode == 1
    assert "neither a file nor a folder" in result.stderr


@pytest.mark.parametrize("kind", ["zip", "compressedtar"])
def test_a_bomb_stops_at_the_limit(prepare: Prepare, volume: Path, kind: str) -> None:
    make = zipped if kind == "zip" else tarred
    bomb = make(("hello.py", b"\0" * 20_000_000))
    result = prepare(bomb, archive=kind, KUBELESS_UNPACKED_LIMIT="1000000")
    assert result.returncode == 1
    assert result.stderr.startswith("SourceTooLarge: the archive holds more than 1000000 bytes")
    assert sum(file.stat().st_size for file in volume.rglob("*")) <= 1_100_000


@pytest.mark.parametrize("kind", ["zip", "compressedtar"])
def test_too_many_files_stop_at_the_limit(prepare: Prepare, kind: str) -> None:
    make = zipped if kind == "zip" else tarred
    many = make(*((f"f{number}", b"") for number in range(200)))
    result = prepare(many, archive=kind, KUBELESS_FILES_LIMIT="100")
    assert result.returncode == 1
    assert "SourceTooLarge: the archive has more than 100 files" in result.stderr


@pytest.mark.parametrize("kind", ["zip", "compressedtar"])
@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\x03\x04" + b"\0" * 40, b"\x1f\x8b\x08" + b"\0" * 30]
)
def test_an_archive_that_is_none_is_said(prepare: Prepare, kind: str, content: bytes) -> None:
    result = prepare(content, archive=kind)
    assert result.returncode == 1
    assert result.stderr.startswith("SourceInvalid: ")
    assert "Traceback" not in result.stderr


def test_a_cut_off_archive_is_said(prepare: Prepare) -> None:
    whole = tarred(("hello.py", os.urandom(100_000)))
    result = prepare(whole[:50_000], archive="compressedtar")
    assert result.returncode == 1
    assert result.stderr.startswith("SourceInvalid: the archive cannot be read")


def test_the_module_must_be_in_the_archive(prepare: Prepare) -> None:
    result = prepare(zipped(("project/hello.py", SOURCE), ("README", b"")), archive="zip")
    assert result.returncode == 1
    assert (
        "wants the file hello.py, and the archive's top folder has README, project" in result.stderr
    )


def test_a_checksum_is_of_the_archive_before_it_is_unpacked(prepare: Prepare) -> None:
    content = zipped(("hello.py", SOURCE))
    right = "sha256:" + hashlib.sha256(content).hexdigest()
    assert prepare(content, archive="zip", KUBELESS_CHECKSUM=right).returncode == 0
    wrong = prepare(content, archive="zip", KUBELESS_CHECKSUM="sha256:" + "0" * 64)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("ChecksumMismatch: spec.checksum: the source has " + right)


def test_dependencies_are_put_beside_the_source(
    prepare: Prepare, volume: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "dependencies"
    listed.write_text("flask\n")
    env = {"KUBELESS_DEPS_SOURCE": str(listed), "KUBELESS_DEPS_NAME": "requirements.txt"}
    assert prepare(SOURCE, **env).returncode == 0
    assert (volume / "requirements.txt").read_text() == "flask\n"


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/again":
            self._answer(302, {"Location": "/again"})
        elif path == "/moved":
            self._answer(302, {"Location": "/hello.py"})
        elif path == "/to-file":
            self._answer(302, {"Location": "file:///etc/passwd"})
        elif path == "/missing":
            self._answer(404, {}, b"no")
        elif path == "/short":
            self._answer(200, {"Content-Length": "1000"}, b"x")
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x" * 10_000)
        else:
            self._answer(200, {}, SOURCE)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/hello.py", "/moved"])
def test_a_download_follows_redirects(prepare: Prepare, volume: Path, site: str, path: str) -> None:
    url = f"{site}{path}\n".encode()
    result = prepare(url, carrier="url", KUBELESS_ALLOW_LOCAL_URLS="true")
    assert result.returncode == 0, result.stderr
    assert (volume / "hello.py").read_bytes() == SOURCE


@pytest.mark.parametrize(
    ("path", "reason", "said"),
    [
        ("/again", "SourceUnavailable", "more than 5 redirects"),
        ("/to-file", "SourceUnavailable", "expected the http or https address"),
        ("/missing", "SourceUnavailable", "answered 404"),
        ("/short", "SourceUnavailable", "early"),
        ("/endless", "SourceTooLarge", "more than 100000 bytes"),
    ],
)
def test_a_download_that_does_not_end_well(
    prepare: Prepare, volume: Path, site: str, path: str, reason: str, said: str
) -> None:
    result = prepare(
        f"{site}{path}?token=secret".encode(),
        carrier="url",
        KUBELESS_ALLOW_LOCAL_URLS="true",
        KUBELESS_DOWNLOAD_LIMIT="100000",
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"{reason}: ")
    assert said in result.stderr
    assert "secret" not in result.stderr
    assert not list(volume.iterdir())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0:1/",
        "http://2130706433:1/",
    ],
)
def test_addresses_of_the_node_and_the_link_are_no_sources(prepare: Prepare, url: str) -> None:
    result = prepare(url.encode(), carrier="url")
    assert result.returncode == 1
    assert "an address of the node or the link" in result.stderr


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y", "hello", "http://", "http://[", "http://a:b/"]
)
def test_other_addresses_are_no_sources(prepare: Prepare, url: str) -> None:
    result = prepare(url.encode(), carrier="url")
    assert result.returncode == 1
    assert result.stderr.startswith("SourceUnavailable: spec.function: ")
    assert "Traceback" not in result.stderr
