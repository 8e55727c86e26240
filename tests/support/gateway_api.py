"""The definitions of the Gateway API, as the gateway of the local cluster is built with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.local_cluster import CLUSTER


def definitions() -> Path:
    """The folder of the definitions, one file each; built when it is not there."""
    done = subprocess.run(
        [CLUSTER, "gateway", "build"], check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip()) / "definitions"
