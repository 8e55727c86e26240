"""The command line as a user's shell runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


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
