"""Programs that tests start, and end, by their process id."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol


class Handle(Protocol):
    """What is used of ``subprocess.Popen``."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Process:
    """One program whose output goes to a file; ended by ``stop`` or ``kill``."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._handle = self._open([str(part) for part in command], env, log)
        self.pid = self._handle.pid

    def _open(self, command: list[str], env: Mapping[str, str] | None, log: IO[bytes]) -> Handle:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(env) if env is not None else None,
        )

    def running(self) -> bool:
        """Say whether it runs; one that ended by itself is a surprise that ``tail`` explains."""
        return self._handle.poll() is None

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, and SIGKILL when that is not heard; returns the exit code."""
        self._handle.send_signal(signal.SIGTERM)
        try:
            return self._handle.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL; returns the exit code."""
        self._handle.send_signal(signal.SIGKILL)
        return self._handle.wait()

    def pause(self) -> None:
        """Have it do nothing, as on a machine that hangs."""
        self._handle.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        self._handle.send_signal(signal.SIGCONT)

    def wait(self, seconds: float) -> int:
        """Wait for its end; returns the exit code. Raises TimeoutExpired."""
        return self._handle.wait(seconds)

    def tail(self, lines: int = 30) -> str:
        """The last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
