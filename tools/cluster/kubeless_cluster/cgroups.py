"""The cgroup tree of one instance: whatever runs for it, runs in there.

A process can't leave its cgroup by forking, so this tree - not a file of
process ids - is what tells whether something still runs, also after a crash.
    <root>/components/<name>   one group for each component (containerd's has the shims)
    <root>/kubepods/...        the pods; the kubelet makes them
cgroup v1 has a tree per controller: the root is made in each, components are
only placed in one of them, so that their limits stay whatever the shell's were.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import mounts
from .errors import ClusterError
from .mounts import Mount

TRACKERS = ("pids", "name=systemd", "freezer", "devices", "memory", "cpu")
UNIFIED = Path("/sys/fs/cgroup")


def is_unified(table: Iterable[Mount]) -> bool:
    """Whether /sys/fs/cgroup is cgroup v2, by the test that kubelet and runc use."""
    return any(m.point == UNIFIED and m.kind == "cgroup2" for m in table)


def trees(table: Iterable[Mount]) -> list[Mount]:
    """Every mounted cgroup hierarchy, each once."""
    seen: dict[tuple[str, frozenset[str]], Mount] = {}
    for mount in table:
        if mount.kind in ("cgroup", "cgroup2") and mount.point.is_relative_to(UNIFIED):
            seen.setdefault((mount.kind, mount.options), mount)
    return list(seen.values())


def tracker(table: Iterable[Mount]) -> Path:
    """The hierarchy whose groups tell which process belongs to which component."""
    known = trees(table)
    if is_unified(known):
        return UNIFIED
    for controller in TRACKERS:
        for mount in known:
            if mount.kind == "cgroup" and controller in mount.options:
                return mount.point
    raise ClusterError("no cgroup hierarchy under /sys/fs/cgroup: found none of v1 or v2")


def _pids(group: Path) -> list[int]:
    try:
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []


class Cgroups:
    """The groups called `name` in every hierarchy."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._table = mounts.table()
        self.tracked = tracker(self._table) / name

    def _roots(self) -> Iterator[Path]:
        for mount in trees(self._table):
            if (mount.point / self.name).is_dir():
                yield mount.point / self.name

    def create(self) -> None:
        """Make the root group in every hierarchy that the kubelet will use."""
        unified = is_unified(self._table)
        for mount in trees(self._table):
            if mount.kind == "cgroup2" and not unified:
                continue
            root = mount.point / self.name
            try:
                root.mkdir(exist_ok=True)
                if unified:
                    self._delegate(mount.point)
                    self._delegate(root)
            except OSError as error:
                raise ClusterError(
                    f"cannot prepare cgroup {root}: {error.strerror}; "
                    "the cluster needs a writable cgroup file system"
                ) from error

    @staticmethod
    def _delegate(group: Path) -> None:
        have = (group / "cgroup.controllers").read_text().split()
        given = (group / "cgroup.subtree_control").read_text().split()
        for controller in have:
            if controller in ("cpu", "cpuset", "io", "memory", "pids", "hugetlb") and (
                controller not in given
            ):
                (group / "cgroup.subtree_control").write_text(f"+{controller}")

    def component(self, name: str) -> Path:
        """The group that component `name` is started in."""
        return self.tracked / "components" / name

    def component_pids(self, name: str) -> list[int]:
        return _pids(self.component(name))

    def pids(self) -> list[int]:
        """Every process of the instance."""
        if not self.tracked.is_dir():
            return []
        found = set(_pids(self.tracked))
        for folder, names, _ in os.walk(self.tracked):
            for name in names:
                found.update(_pids(Path(folder) / name))
        return sorted(found)

    def kill(self, timeout: float = 20.0) -> list[int]:
        """Kill every process of the instance; which ones. ClusterError when some survive."""
        killed: set[int] = set()
        deadline = time.monotonic() + timeout
        while pids := self.pids():
            for pid in pids:
                # Read again right before the signal: the kernel vouches for membership.
                if self._contains(pid):
                    _kill(pid)
                    killed.add(pid)
            if time.monotonic() > deadline:
                raise ClusterError(f"processes that do not die: {' '.join(map(str, pids))}")
            time.sleep(0.02)
        return sorted(killed)

    def _contains(self, pid: int) -> bool:
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError:
            return False
        return any(line.split(":", 2)[2].lstrip("/").split("/")[0] == self.name for line in lines)

    def remove(self) -> list[Path]:
        """Remove the emptied groups in every hierarchy; the roots removed."""
        gone = []
        for root in list(self._roots()):
            deadline = time.monotonic() + 5
            while root.is_dir():
                for folder, names, _ in os.walk(root, topdown=False):
                    for name in names:
                        _rmdir(Path(folder) / name)
                _rmdir(root)
                if time.monotonic() > deadline:
                    raise ClusterError(f"cgroup {root} could not be removed: something is in it")
                if root.is_dir():
                    time.sleep(0.02)  # the kernel empties a group a moment after its processes
            gone.append(root)
        return gone


def _rmdir(group: Path) -> None:
    with contextlib.suppress(OSError):
        group.rmdir()


def _kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
