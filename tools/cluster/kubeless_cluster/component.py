"""One long-running program of the cluster.

- It outlives the command that started it (own session, own log file).
- It is found again by its cgroup, so a process id that the kernel has given to
  another program is never taken for it.
- It is started again when what it was started from changed (its words, its
  environment or a file it reads at its start).
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cgroups import Cgroups
from .errors import ClusterError

TAIL = 15
"""Log lines shown when a component fails."""
PATIENCE = 10.0
"""Seconds that a component which ran already may stay unready."""


@dataclass(frozen=True)
class Component:
    """How a program is started, and how one sees that it is ready."""

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: Callable[[], bool]
    inside: tuple[str, ...] = ()
    """Words that put it into the node's namespaces."""
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    """Files that it reads only at its start."""
    timeout: float = 60.0
    """Seconds from start to ready before it counts as failed."""

    @property
    def record(self) -> Path:
        return self.log.with_suffix(".started-from")

    def fingerprint(self) -> str:
        """A hash of everything it is started from."""
        total = hashlib.sha256(repr((self.argv, sorted(self.environment.items()))).encode())
        for path in self.files:
            total.update(path.read_bytes() if path.exists() else b"missing")
        return total.hexdigest()


def command_line(pid: int) -> list[str]:
    """The words of a live process; empty for a zombie or one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def find(component: Component, cgroups: Cgroups) -> int | None:
    """Process id of the running component: the first of its cgroup with its program's name."""
    program = Path(component.argv[0]).name
    for pid in sorted(cgroups.component_pids(component.name)):
        words = command_line(pid)
        if words and Path(words[0]).name == program:
            return pid
    return None


def current(component: Component) -> bool:
    """Whether it was last started from what it would be started from now."""
    try:
        return component.record.read_text() == component.fingerprint()
    except OSError:
        return False


def start(component: Component, cgroups: Cgroups) -> None:
    """Start it; returns at once. The log of the run before is kept as `.log.1`."""
    component.log.parent.mkdir(parents=True, exist_ok=True)
    if component.log.exists():
        component.log.replace(component.log.with_name(component.log.name + ".1"))
    group = cgroups.component(component.name)
    group.mkdir(parents=True, exist_ok=True)
    component.record.write_text(component.fingerprint())
    join = 'echo $$ > "$0" && exec "$@"'
    words = ["/bin/sh", "-c", join, str(group / "cgroup.procs"), *component.inside, *component.argv]
    with component.log.open("wb") as sink:
        subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=dict(component.environment),
            cwd="/",
        )


def stop(component: Component, cgroups: Cgroups, patience: float = 5.0) -> None:
    """End its main process: SIGTERM, after `patience` seconds SIGKILL."""
    pid = find(component, cgroups)
    if pid is None:
        return
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if find(component, cgroups) != pid:
            return  # it ended, and the number is someone else's by now
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                signal.pidfd_send_signal(handle, number)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if find(component, cgroups) != pid:
                    return
                time.sleep(0.02)
    finally:
        os.close(handle)
    raise ClusterError(f"{component.name} (process {pid}) does not end")


def last_lines(component: Component) -> list[str]:
    try:
        return component.log.read_text(errors="replace").splitlines()[-TAIL:]
    except OSError:
        return []


def _lives(component: Component, cgroups: Cgroups) -> bool:
    """Whether it runs, or is still on its way from the shell into the namespaces."""
    if find(component, cgroups) is not None:
        return True
    lines = (command_line(pid) for pid in cgroups.component_pids(component.name))
    return any(words and Path(words[0]).name in ("sh", "nsenter") for words in lines)


def wait_ready(
    components: list[Component], cgroups: Cgroups, fresh: frozenset[str] = frozenset()
) -> None:
    """Return when each is ready.

    One that ends is started once more; so is one that ran already and stays
    unready (it is not in `fresh`): usually it only waits for another that was just started, but it may hang.
    Raises ClusterError with its last log lines when one ends twice or is not
    ready within its timeout.
    """
    waiting = {component.name: component for component in components}
    begin = time.monotonic()
    again: set[str] = set()
    while waiting:
        for component in list(waiting.values()):
            if component.ready():
                del waiting[component.name]
                continue
            late = time.monotonic() - begin > component.timeout
            # Between fork and joining its cgroup it looks as if it had ended.
            ended = time.monotonic() - begin > 1.0 and not _lives(component, cgroups)
            hangs = component.name not in fresh and time.monotonic() - begin > PATIENCE
            if (ended or hangs) and component.name not in again and not late:
                again.add(component.name)
                stop(component, cgroups)
                start(component, cgroups)
            elif ended or late:
                what = "ended" if ended else f"is not ready after {component.timeout:.0f} s"
                lines = [f"{component.name} {what}; its last lines:", *last_lines(component)]
                raise ClusterError("\n".join([*lines, f"all of it: {component.log}"]))
        if waiting:
            time.sleep(0.05)
