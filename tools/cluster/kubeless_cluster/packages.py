"""Programs that come from the distribution: found by what they install, got with apt.

A machine that has them from elsewhere is as good; only what is missing is
installed, and only by root.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import command
from .errors import ClusterError
from .progress import step

CNI_PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
NEEDED = {
    "buildah": "buildah",
    "catatonit": "catatonit",
    "curl": "curl",
    "ip": "iproute2",
    "iptables": "iptables",
    "ldd": "libc-bin",
    "nft": "nftables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "runc": "runc",
    "/etc/containers/policy.json": "golang-github-containers-common",
    "cni:bridge": "containernetworking-plugins",
    "cni:portmap": "containernetworking-plugins",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}
"""What is looked for (a program, a path, or a CNI plugin) and the Debian package that has it."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find_program(name: str) -> Path | None:
    """Path of a program; administrators' folders are searched for every user."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    return Path(found) if found else None


def program(name: str) -> Path:
    """Path of a program that `ensure` has seen; ClusterError when it is gone."""
    found = find_program(name)
    if found is None:
        raise ClusterError(
            f"program not found: {name} (Debian package {NEEDED.get(name, name)}); "
            "run `tools/cluster/cluster build` as root"
        )
    return found


def cni_folder() -> Path:
    """Folder of the CNI plugins; ClusterError when there is none."""
    for folder in CNI_PLUGINS:
        if all((folder / name).exists() for name in ("bridge", "host-local", "loopback")):
            return folder
    raise ClusterError(f"no CNI plugins in {' or '.join(map(str, CNI_PLUGINS))}")


def _present(thing: str) -> bool:
    if thing.startswith("/"):
        return Path(thing).exists()
    if thing.startswith("cni:"):
        return any((folder / thing[4:]).exists() for folder in CNI_PLUGINS)
    return find_program(thing) is not None


def missing() -> list[str]:
    """Debian packages that this machine lacks, sorted."""
    return sorted({package for thing, package in NEEDED.items() if not _present(thing)})


def ensure() -> None:
    """Install what is missing; ClusterError says which packages when that can't be done."""
    packages = missing()
    if not packages:
        return
    wish = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0:
        raise ClusterError(
            f"missing packages: {' '.join(packages)}; run as root, or install them with:\n  {wish}"
        )
    if find_program("apt-get") is None:
        raise ClusterError(
            f"missing packages: {' '.join(packages)}; there is no apt-get here: "
            "install what your distribution calls them"
        )
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {' '.join(packages)}"):
        if command.run(install, check=False, env=quiet).returncode:
            command.run(["apt-get", "update", "-q"], env=quiet)
            command.run(install, env=quiet)
    left = missing()
    if left:
        raise ClusterError(f"installed, yet what these packages bring is missing: {' '.join(left)}")
