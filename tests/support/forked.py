"""A start of the controller that takes a tenth of the time: forked from a process that has imported all it needs.

This module imports nothing of ours: each fork does so too.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["kubeless_controller.__main__"])


class Fork:
    """The controller's main function with these arguments, in a process of its own; used like ``subprocess.Popen``."""

    def __init__(self, arguments: list[str], env: Mapping[str, str], log: str) -> None:
        # A daemon is killed, not waited for, when this process ends.
        self._process = _FORKS.Process(target=_run, args=(arguments, dict(env), log), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns the exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(f"the controller {self.pid}", timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)


def _run(arguments: list[str], env: Mapping[str, str], log: str) -> None:
    """The life of a fork."""
    from kubeless_controller.__main__ import main  # imported before the fork

    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ.clear()
    os.environ.update(env)
    warnings.simplefilter("error")
    sys.argv = ["kubeless-controller", *arguments]
    sys.exit(main())
