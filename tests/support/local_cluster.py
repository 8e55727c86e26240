"""The local cluster with Kubeless in it.

One that was up before is used and left up, with this clone's images and chart
in it; one that was not is brought down again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.control_plane import ROOT, programs

CLUSTER = ROOT / "tools/cluster/cluster"


@contextmanager
def local_cluster() -> Iterator[dict[str, str]]:
    """The environment in which kubectl, helm and kubeless mean the local cluster."""
    was_up = subprocess.run([CLUSTER, "status"], capture_output=True, check=False).returncode == 0
    try:
        up = subprocess.run(
            [sys.executable, ROOT / "tools/up.py"], capture_output=True, text=True, check=False
        )
        assert up.returncode == 0, up.stdout + up.stderr
        yield local_environment()
    finally:
        if not was_up:
            subprocess.run([CLUSTER, "down"], capture_output=True, check=True)


def local_environment() -> dict[str, str]:
    """The same of a local cluster that is up."""
    found = subprocess.run([CLUSTER, "kubeconfig"], capture_output=True, text=True, check=True)
    path = f"{Path(sys.executable).parent}:{programs()}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": found.stdout.strip(), "PATH": path}
