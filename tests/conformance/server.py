"""A runtime's server as a process of this machine, and what the kernel tells of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.client import BROKEN, Client, eventually
from conformance.languages import Language
from support.run_queue import RunQueue

#: The drain delay that tests have unless they are about it.
DRAIN_DELAY = "0"
MEMORY_LIMIT = "1Gi"


@dataclass
class Server(Client):
    """A server process and its client."""

    process: subprocess.Popen[bytes]
    folder: Path
    timeout: float
    runtime: str

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self.process.pid

    @property
    def volume(self) -> Path:
        """The folder of the function's source."""
        return self.folder / "volume"

    def output(self) -> str:
        """What it wrote to standard output and standard error."""
        return (self.folder / "log").read_text(errors="replace")

    def wrote(self, text: str) -> bool:
        """Wait until it has written ``text``: what is logged after an answer may come after it is read."""
        eventually(lambda: text in self.output(), f"the log has {text!r}")
        return True

    def termination(self) -> str:
        """What would be the pod's termination message."""
        return (self.folder / "termination").read_text(errors="replace")

    def processes(self) -> set[int]:
        """It and all that descends from it."""
        return tree(self.pid)

    def workers(self) -> set[int]:
        """Its processes but the first."""
        return self.processes() - {self.pid}

    def threads(self) -> int:
        """Threads of all its processes."""
        return sum(_count(f"/proc/{pid}/task") for pid in self.processes())

    def descriptors(self) -> int:
        """Open files of all its processes."""
        return sum(_count(f"/proc/{pid}/fd") for pid in self.processes())

    def memory(self) -> int:
        """Memory of all its processes in bytes, shared pages counted in parts (PSS)."""
        return sum(pss(pid) for pid in self.processes())

    def ticks(self) -> int:
        """Processor time that its living processes have used, in ticks of the kernel."""
        wanted = self.processes()
        return sum(int(f[11]) + int(f[12]) for pid, f in _processes() if pid in wanted)

    def run_queue(self) -> RunQueue:
        """How long its processes and its client wait for a processor."""
        return RunQueue(*self.processes())

    def signal(self, number: int) -> None:
        """Send a signal to the first process, as a kubelet does."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float = 30) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def ready(self) -> bool:
        """Whether /healthz says 200. Fails when the process has ended."""
        assert self.process.poll() is None, self.output()
        try:
            return self.get("/healthz").status == 200
        except BROKEN:
            return False

    def destroy(self) -> None:
        """Kill what is left of it, and remove its folder."""
        workers = self.workers()
        self.process.kill()  # first: it would report the end of a worker in a file of the folder
        self.process.wait()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder)


def launch(
    language: Language,
    files: Mapping[str, str],
    *,
    module: str = "fn",
    handler: str = "handler",
    env: Mapping[str, str | None] | None = None,
    timeout: float = 20,
    command: tuple[str, ...] = (),
) -> Server:
    """Start a server over these files without waiting for it. ``None`` in ``env`` unsets."""
    folder = Path(tempfile.mkdtemp(prefix="kubeless-conformance-"))
    folder.chmod(0o755)
    for name, text in files.items():
        path = folder / "volume" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "termination").touch()
    port = free_port()
    environ: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MOD_NAME": module,
        "FUNC_HANDLER": handler,
        "FUNC_TIMEOUT": f"{timeout:g}",
        "FUNC_RUNTIME": language.name,
        "FUNC_MEMORY_LIMIT": MEMORY_LIMIT,
        "FUNC_PORT": str(port),
        "KUBELESS_INSTALL_VOLUME": str(folder / "volume"),
        "KUBELESS_TERMINATION_LOG": str(folder / "termination"),
        "KUBELESS_DRAIN_DELAY": DRAIN_DELAY,
        **(env or {}),
    }
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen(
            command or language.command,
            env={name: value for name, value in environ.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    return Server("127.0.0.1", port, process, folder, timeout, language.name)


def wait_until_ready(server: Server) -> None:
    """Wait for the first 200 of /healthz."""
    eventually(server.ready, "the server is ready", 20)


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def pss(pid: int) -> int:
    """A process's proportional set size in bytes; 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def tree(pid: int) -> set[int]:
    """A process and all that descends from it."""
    children: dict[int, list[int]] = {}
    for child, fields in _processes():
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(child)
    found: set[int] = set()
    todo = [pid]
    while todo:
        one = todo.pop()
        found.add(one)
        todo += children.get(one, [])
    return found


def _processes() -> list[tuple[int, list[str]]]:
    """Process ids with the fields of their stat files that follow the name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found.append((int(path.parent.name), path.read_text().rpartition(")")[2].split()))
    return found


def _count(folder: str) -> int:
    try:
        return len(os.listdir(folder))
    except OSError:
        return 0
