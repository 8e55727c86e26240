"""The container engine: docker where its daemon answers, buildah otherwise.

Both build the same Dockerfiles with the same secrets. Output of a build goes to
a log; a failure shows its end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kubeless_images.errors import ImagesError
from kubeless_images.table import Image

#: Lines of a failed step's log that are shown.
TAIL = 25
#: How often buildah is asked for its images, while others remove some.
LISTINGS = 10


class Engine(Protocol):
    """What the rest of this tool needs of an engine."""

    @property
    def name(self) -> str:
        """What the engine is called."""

    def ids(self) -> dict[str, str]:
        """Reference -> image id of everything in the engine's store."""

    def sizes(self) -> dict[str, str]:
        """Reference -> size of everything in the store as the engine shows it, such as ``131 MB``."""

    def pull(self, reference: str, log: Path) -> bool:
        """Try to pull; False when the image can't be had."""

    def import_tar(self, tar: Path, reference: str, log: Path) -> None:
        """Make an image of one root file system."""

    def build(self, image: Image, tags: list[str], secrets: dict[str, Path], log: Path) -> None:
        """Build an image and tag it, the last tag being its version.

        Raises ImagesError with the log's last lines.
        """

    def tag(self, source: str, target: str) -> None:
        """Give an image another name."""

    def push(self, reference: str, log: Path) -> None:
        """Push to the registry the reference names."""

    def remove(self, references: list[str]) -> None:
        """Remove names (and images that lose their last one)."""


@dataclass(frozen=True)
class Docker:
    """docker with BuildKit."""

    name: str = "docker"

    def ids(self) -> dict[str, str]:
        """See Engine."""
        return self._listed("{{.ID}}")

    def sizes(self) -> dict[str, str]:
        """See Engine."""
        return self._listed("{{.Size}}")

    @staticmethod
    def _listed(what: str) -> dict[str, str]:
        template = "{{.Repository}}:{{.Tag}} " + what
        lines = _read(["docker", "image", "ls", "--no-trunc", "--format", template]).splitlines()
        pairs = (line.split(" ", maxsplit=1) for line in lines)
        return {_full(reference): value for reference, value in pairs}

    def pull(self, reference: str, log: Path) -> bool:
        """See Engine."""
        return _succeeds(["docker", "pull", reference], log)

    def import_tar(self, tar: Path, reference: str, log: Path) -> None:
        """See Engine."""
        change = ["--change", 'CMD ["bash"]']
        _run(["docker", "import", *change, str(tar), reference], log, f"importing {reference}")

    def build(self, image: Image, tags: list[str], secrets: dict[str, Path], log: Path) -> None:
        """See Engine."""
        command = ["docker", "build", "--progress=plain", *_build_options(image, tags, secrets)]
        _run(command, log, f"building {image.name}", {"DOCKER_BUILDKIT": "1"})

    def tag(self, source: str, target: str) -> None:
        """See Engine."""
        _read(["docker", "tag", source, target])

    def push(self, reference: str, log: Path) -> None:
        """See Engine."""
        _run(["docker", "push", reference], log, f"pushing {reference}")

    def remove(self, references: list[str]) -> None:
        """See Engine."""
        _read(["docker", "image", "rm", *references])


@dataclass(frozen=True)
class Buildah:
    """buildah, with chroot isolation: it needs no daemon and no right to make namespaces."""

    name: str = "buildah"

    def ids(self) -> dict[str, str]:
        """See Engine."""
        return self._listed("id")

    def sizes(self) -> dict[str, str]:
        """See Engine."""
        return self._listed("size")

    @staticmethod
    def _listed(what: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in json.loads(_list_images() or "[]") or []:
            found.update(dict.fromkeys(entry.get("names") or [], entry[what]))
        return found

    def pull(self, reference: str, log: Path) -> bool:
        """See Engine."""
        return _succeeds(["buildah", "pull", "--retry", "0", reference], log)

    def import_tar(self, tar: Path, reference: str, log: Path) -> None:
        """See Engine."""
        container = _read(["buildah", "from", "scratch"]).strip()
        try:
            _run(["buildah", "add", container, str(tar), "/"], log, f"unpacking {tar}")
            _read(["buildah", "config", "--cmd", "bash", container])
            # A fixed time: the same tar gives the same image id, which is an input of every hash.
            commit = ["buildah", "commit", "--timestamp", "0", container, reference]
            _run(commit, log, f"committing {reference}")
        finally:
            _read(["buildah", "rm", container])

    def build(self, image: Image, tags: list[str], secrets: dict[str, Path], log: Path) -> None:
        """See Engine."""
        command = [
            "buildah", "build", "--isolation", "chroot", "--layers", "--force-rm", "--pull=never",
            *_build_options(image, tags, secrets),
        ]  # fmt: skip
        _run(command, log, f"building {image.name}")

    def tag(self, source: str, target: str) -> None:
        """See Engine."""
        _read(["buildah", "tag", source, target])

    def push(self, reference: str, log: Path) -> None:
        """See Engine."""
        _run(["buildah", "push", reference], log, f"pushing {reference}")

    def remove(self, references: list[str]) -> None:
        """See Engine."""
        _read(["buildah", "rmi", *references])


def choose(wanted: str = "") -> Engine:
    """The engine to use. Raises ImagesError when there is none and none can be installed."""
    if wanted not in ("", "docker", "buildah"):
        raise ImagesError(f"--engine: expected docker or buildah, found {wanted!r}")
    if wanted != "buildah" and _docker_answers():
        return Docker()
    if wanted == "docker":
        raise ImagesError("docker does not answer (`docker version`); start it or use buildah")
    require({"buildah": "buildah"})
    return Buildah()


def require(packages: dict[str, str]) -> None:
    """Make sure commands exist: command -> the Debian package that has it.

    Installs what is missing when run as root on Debian; raises ImagesError otherwise.
    """
    missing = sorted({pkg for command, pkg in packages.items() if not shutil.which(command)})
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise ImagesError(f"missing: {', '.join(missing)}; install with: sudo {' '.join(install)}")
    print(f"installing {', '.join(missing)}", flush=True)
    for command in (["apt-get", "update"], install):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode and command is install:
            raise ImagesError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _docker_answers() -> bool:
    if not shutil.which("docker"):
        return False
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=5)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _build_options(image: Image, tags: list[str], secrets: dict[str, Path]) -> list[str]:
    options = ["--file", str(image.dockerfile)]
    for name, value in image.args:
        options += ["--build-arg", f"{name}={value}"]
    for name, path in secrets.items():
        options += ["--secret", f"id={name},src={path}"]
    for tag in tags:
        options += ["--tag", tag]
    version = tags[-1].rpartition(":")[2]
    # As an argument, not by --label: an engine that finds every step in its cache leaves that one out.
    options += ["--build-arg", f"VERSION={version}"]
    if image.target:
        options += ["--target", image.target]
    return [*options, str(image.context)]


def _full(reference: str) -> str:
    """Docker lists Docker Hub's images without their registry: give it back."""
    first, slash, _ = reference.partition("/")
    if not slash:
        return f"docker.io/library/{reference}"
    if "." not in first and ":" not in first and first != "localhost":
        return f"docker.io/{reference}"
    return reference


def _read(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ImagesError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def _list_images() -> str:
    """What buildah has, as JSON; asked again when an image went while buildah was reading the list."""
    command = ["buildah", "images", "--json"]
    for _ in range(LISTINGS - 1):
        try:
            return _read(command)
        except ImagesError as error:
            if "image not known" not in str(error):
                raise
    return _read(command)


def _succeeds(command: list[str], log: Path) -> bool:
    with log.open("ab") as out:
        return subprocess.run(command, check=False, stdout=out, stderr=out).returncode == 0


def _run(command: list[str], log: Path, what: str, env: dict[str, str] | None = None) -> None:
    merged = {**os.environ, **(env or {})}
    with log.open("ab") as out:
        done = subprocess.run(command, check=False, stdout=out, stderr=out, env=merged)
    if done.returncode:
        lines = log.read_text(errors="replace").splitlines()[-TAIL:]
        shown = "\n".join(f"    {line}" for line in lines)
        raise ImagesError(f"{what} failed; the end of {log}:\n{shown}")
