"""A real server process for every test, spoken to over HTTP.

``KUBELESS_TEST_ROOT`` names an unpacked image: the same tests then run its server
in it (as root, by chroot) instead of this checkout's on this interpreter.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = os.environ.get("KUBELESS_TEST_ROOT", "")

Serve = Callable[..., "Server"]


@dataclass
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A server process and its client."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    log: Path
    termination: Path
    volume: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def request(
        self,
        method: str = "GET",
        path: str = "/",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        start = time.monotonic()
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, lower, content, time.monotonic() - start)

    def get(self, path: str = "/", **headers: str) -> Reply:
        return self.request("GET", path, headers=headers)

    def post(self, data: bytes | str, content_type: str = "", **headers: str) -> Reply:
        if content_type:
            headers["Content-Type"] = content_type
        body = data.encode() if isinstance(data, str) else data
        return self.request("POST", "/", body, headers)

    def json(self, value: Any) -> Reply:
        return self.post(json.dumps(value), "application/json")

    def raw(self, data: bytes, timeout: float = 1) -> bytes:
        """Everything the server sends for raw bytes until it closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as sock:
            sock.sendall(data)
            received = b""
            try:
                while chunk := sock.recv(65536):
                    received += chunk
            except TimeoutError:
                pass
        return received

    def metric(self, name: str, **labels: str) -> float:
        from prometheus_client.parser import text_string_to_metric_families

        for family in text_string_to_metric_families(self.get("/metrics").text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return 0.0

    def workers(self) -> set[int]:
        """Processes of the server beside the supervisor."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.pid and fields[0] != "Z":
                found.add(int(path.parent.name))
        return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The condition's first true value. Fails when it stays false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"still false after {seconds} s")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def launch() -> Iterator[Serve]:
    """Start a server without waiting for it."""
    servers: list[Server] = []

    def start(
        source: str | Mapping[str, str], *, module: str = "fn", handler: str = "handler",
        env: Mapping[str, str] | None = None, timeout: float | str = 20,
    ) -> Server:  # fmt: skip
        folder = Path(tempfile.mkdtemp(prefix="kubeless-test-", dir=f"{ROOT}/tmp"))
        folder.chmod(0o755)
        files = {f"{module}.py": source} if isinstance(source, str) else source
        for name, text in files.items():
            path = folder / "volume" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        (folder / "termination").touch()
        inside = str(folder).removeprefix(ROOT) if ROOT else str(folder)
        port = free_port()
        environ = {
            "PATH": os.environ["PATH"], "MOD_NAME": module, "FUNC_HANDLER": handler,
            "FUNC_TIMEOUT": str(timeout), "FUNC_RUNTIME": "python", "FUNC_MEMORY_LIMIT": "128Mi",
            "FUNC_PORT": str(port), "KUBELESS_INSTALL_VOLUME": f"{inside}/volume",
            "KUBELESS_TERMINATION_LOG": f"{inside}/termination", "KUBELESS_DRAIN_DELAY": "0",
            **(env or {}),
        }  # fmt: skip
        environ = {name: value for name, value in environ.items() if value != "UNSET"}
        if ROOT:
            command = [
                "chroot",
                ROOT,
                "/usr/bin/python3",
                "-P",
                "/opt/kubeless/server/kubeless_runtime",
            ]
        else:
            command = [sys.executable, "-P", str(HERE.parent / "kubeless_runtime")]
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        server = Server(process, port, folder, log, folder / "termination", f"{inside}/volume")
        servers.append(server)
        return server

    yield start
    for server in servers:
        for worker in server.workers():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker, signal.SIGKILL)
        server.process.kill()
        server.process.wait()
        shutil.rmtree(server.folder)


@pytest.fixture
def serve(launch: Serve) -> Serve:
    """Start a server and wait until it is ready."""

    def start(*arguments: Any, **options: Any) -> Server:
        server = launch(*arguments, **options)

        def ready() -> bool:
            assert server.process.poll() is None, server.output()
            try:
                return server.get("/healthz").status == 200
            except OSError:
                return False

        eventually(ready, 15)
        return server

    return start
