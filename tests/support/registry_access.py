"""How this host reaches its package index, for pods that install packages.

Read from the host's own settings when the tests run: what a platform engineer
would put into the chart's ``dependencies`` values.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def pip_environment() -> dict[str, str]:
    """The index and proxy settings of the host's pip, as environment variables."""
    config = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    found = {}
    for line in config.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2].replace("-", "_").upper()
        if name in ("INDEX_URL", "EXTRA_INDEX_URL", "TRUSTED_HOST", "PROXY"):
            found[f"PIP_{name}"] = value.strip("'\"")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"):
        if os.environ.get(name):
            found[name] = os.environ[name]
    return found
