"""What `make up` refuses, before it does anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UP = Path(__file__).resolve().parents[1] / "up.py"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cluster", "kind"], "CLUSTER: found 'kind', expected 'local' or 'current'"),
        (["--gateway", "nginx"], "GATEWAY: found 'nginx', expected 'none' or 'contour'"),
        (["--gateway", ""], "GATEWAY: found '', expected 'none' or 'contour'"),
        (
            ["--cluster", "current", "--gateway", "contour"],
            "GATEWAY: found 'contour' with CLUSTER=current, expected none: only the local cluster",
        ),
    ],
)
def test_what_is_not_known_or_does_not_go_together_is_refused(
    options: list[str], message: str
) -> None:
    done = subprocess.run(
        [sys.executable, UP, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"up: {message}")
    assert done.stdout == ""
