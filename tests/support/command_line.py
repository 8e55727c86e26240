"""The command line as a user's shell runs it, in this process: what a process adds, cli/tests/test_process.py tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest import mock

from kubeless_cli.__main__ import run as run_here

Run = Callable[..., subprocess.CompletedProcess[str]]


def kubeless(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kubeless` against the cluster, and as the user, of a kubeconfig."""
    out, err = _stream(), _stream()
    with (
        mock.patch.dict(os.environ, KUBECONFIG=str(kubeconfig)),
        mock.patch("sys.stdin", _stream()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run_here(list(arguments))
    return subprocess.CompletedProcess(arguments, code, _written(out), _written(err))


def commands(kubeconfig: Path, namespace: str, *group: str) -> Run:
    """The commands of a group, in a namespace: ``run("list", "-o", "json")``, also as another user."""

    def run(
        command: str, *arguments: str, kubeconfig: Path = kubeconfig
    ) -> subprocess.CompletedProcess[str]:
        return kubeless(kubeconfig, *group, command, "-n", namespace, *arguments)

    return run


def _stream() -> TextIOWrapper:
    # As a pipe: bytes underneath, no terminal.
    return TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)


def _written(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
