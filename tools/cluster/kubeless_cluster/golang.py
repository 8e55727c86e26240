"""The Go toolchain that builds the cluster's programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import command
from .errors import ClusterError

FETCHES_TOOLCHAINS = (1, 21, 0)
"""From this release a `go` command downloads the newer one that a go.mod asks for."""


def parse_version(text: str) -> tuple[int, int, int]:
    """`go1.26.6`, `1.26` or `go version go1.26.6 linux/amd64` as numbers.

    Raises ValueError when there is no version in `text`.
    """
    found = re.search(r"\b(?:go)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not found:
        raise ValueError(f"no Go version in {text!r}")
    return int(found[1]), int(found[2]), int(found[3] or 0)


def needed_version(go_mod: str) -> tuple[int, int, int]:
    """The version in the `go` line of a go.mod."""
    found = re.search(r"^go (\S+)$", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError("go.mod has no `go` line")
    return parse_version(found[1])


def find_go() -> Path | None:
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    return Path(found) if found else None


def _text(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))


def toolchain(module: Path) -> tuple[Path, str]:
    """The `go` command and the version it builds `module` with, like `go1.26.6`.

    ClusterError when there is none, or it is too old and can't get a newer one.
    """
    need = needed_version((module / "go.mod").read_text())
    advice = f"install Go {_text(need)} or newer (https://go.dev/dl) and put it on PATH"
    go = find_go()
    if go is None:
        raise ClusterError(f"Go: found none, need {_text(need)}: {advice}")
    local = command.output([go, "version"], env={"GOTOOLCHAIN": "local"}, cwd=Path("/"))
    have = parse_version(local.split()[2] if len(local.split()) > 2 else local)
    if have < FETCHES_TOOLCHAINS:
        raise ClusterError(f"Go: found {_text(have)} ({go}), need {_text(need)}: {advice}")
    chosen = command.run([go, "version"], cwd=module, check=False, env={"GOWORK": "off"})
    if chosen.returncode:
        said = (chosen.stderr or chosen.stdout).decode(errors="replace").strip()
        setting = os.environ.get("GOTOOLCHAIN", "auto")
        raise ClusterError(
            f"Go: found {_text(have)} ({go}), need {_text(need)}, and it could not be fetched "
            f"(GOTOOLCHAIN={setting}): {advice}\n{said}"
        )
    return go, chosen.stdout.decode().split()[2]


def build(go: Path, module: Path, package: str, flags: str, target: Path, log: Path) -> None:
    """Compile the program `package` of the go.mod in `module` to `target`, as a static binary.

    Raises ClusterError with the last lines of `log` when it does not compile.
    """
    jobs = max(2, os.cpu_count() or 2)
    part = target.with_name(f"{target.name}.part")
    argv = [str(go), "build", "-trimpath", "-mod=readonly", f"-p={jobs}"]
    argv += ["-ldflags", flags, "-o", str(part), package]
    with log.open("wb") as sink:
        done = subprocess.run(
            argv,
            cwd=module,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
            check=False,
        )
    if done.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-20:]
        raise ClusterError(
            "\n".join([f"building {target.name} failed:", *last, f"all of it: {log}"])
        )
    part.replace(target)
