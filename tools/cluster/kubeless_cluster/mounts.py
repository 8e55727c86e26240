"""The mount table of this process' mount namespace, as the kernel shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from . import command

MOUNTINFO = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Mount:
    point: Path
    kind: str
    """File system type, like `cgroup2` or `nsfs`."""
    options: frozenset[str]
    """Options of the file system itself; for cgroup v1 its controllers."""


def parse(mountinfo: str) -> list[Mount]:
    """The lines of a mountinfo file, in mount order (proc_pid_mountinfo(5))."""
    mounts = []
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        end = fields.index("-")
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
        options = frozenset(fields[end + 3].split(",")) if len(fields) > end + 3 else frozenset()
        mounts.append(Mount(Path(point), fields[end + 1], options))
    return mounts


def table() -> list[Mount]:
    return parse(MOUNTINFO.read_text())


def below(folder: Path) -> list[Path]:
    """Mount points at or under `folder`, the last mounted first."""
    return [m.point for m in reversed(table()) if m.point.is_relative_to(folder)]


def unmount_below(folder: Path) -> list[Path]:
    """Unmount everything at or under `folder`; what was unmounted."""
    gone = []
    while points := below(folder):
        command.run(["umount", "--lazy", points[0]])
        gone.append(points[0])
    return gone
