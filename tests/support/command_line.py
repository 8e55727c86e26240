"""The command line as a user's shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def kubeless(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kubeless` against the cluster, and as the user, of a kubeconfig."""
    return subprocess.run(
        [sys.executable, "-m", "kubeless_cli", *arguments],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def commands(kubeconfig: Path, namespace: str, *group: str) -> Run:
    """The commands of a group, in a namespace: ``run("list", "-o", "json")``, also as another user."""

    def run(
        command: str, *arguments: str, kubeconfig: Path = kubeconfig
    ) -> subprocess.CompletedProcess[str]:
        return kubeless(kubeconfig, *group, command, "-n", namespace, *arguments)

    return run
