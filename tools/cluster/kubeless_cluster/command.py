"""Running other programs: output captured, failures told with what the program said."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import ClusterError


def run(
    argv: Sequence[str | Path],
    *,
    check: bool = True,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `argv` to its end and return it with stdout and stderr as bytes.

    `env` is added to this process' environment. With `check`, an exit code
    other than 0 raises ClusterError with the command and its last lines.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"program not found: {words[0]}") from error
    if check and done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-15:]
        raise ClusterError(
            "\n".join([f"exit code {done.returncode} from: {' '.join(words)}", *said])
        )
    return done


def output(argv: Sequence[str | Path], **options: object) -> str:
    """Stdout of `argv`, stripped; raises ClusterError when it fails."""
    return run(argv, **options).stdout.decode(errors="replace").strip()  # type: ignore[arg-type]


def succeeds(argv: Sequence[str | Path]) -> bool:
    """Whether `argv` exists and exits with 0."""
    try:
        return run(argv, check=False).returncode == 0
    except ClusterError:
        return False
