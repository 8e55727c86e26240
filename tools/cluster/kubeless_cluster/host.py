"""What instances change on the machine outside of their own things, and its way back.

Forwarding and the kernel settings that a kubelet insists on are the machine's,
not a namespace's. The first instance records what they were, the last one
restores it. The record lies in /run, which a reboot clears together with the
settings.
"""

from __future__ import annotations

import json
from pathlib import Path

from .errors import ClusterError
from .instance import RUN_FOLDER, Instance
from .lock import locked
from .namespaces import OWN_FOLDERS

CHANGED = {
    "net/ipv4/ip_forward": "1",
    # Set by the kubelet at its start.
    "vm/overcommit_memory": "",
    "vm/panic_on_oom": "",
    "kernel/panic": "",
    "kernel/panic_on_oops": "",
    "kernel/keys/root_maxkeys": "",
    "kernel/keys/root_maxbytes": "",
}
"""Kernel setting under /proc/sys, and the value to set (empty: a component does it)."""
SYSCTL = Path("/proc/sys")
LINKS = Path("/sys/class/net")


def read_settings() -> dict[str, str]:
    return {
        name: (SYSCTL / name).read_text().strip() for name in CHANGED if (SYSCTL / name).exists()
    }


def is_set() -> bool:
    """Whether the settings that the cluster needs are in force."""
    now = read_settings()
    return all(now.get(name) == value for name, value in CHANGED.items() if value)


def _others(instance: Instance, folder: Path) -> list[str]:
    """Instances beside this one that are really there: a stale record has no bridge."""
    return [
        entry.name
        for entry in folder.glob("instances/*")
        if entry.name != instance.name and (LINKS / entry.name).exists()
    ]


def _owner(instance: Instance, folder: Path) -> str:
    try:
        return (folder / "instances" / instance.name).read_text().strip()
    except OSError:
        return ""


def is_owner(instance: Instance, folder: Path = RUN_FOLDER) -> bool:
    """Whether the record says that the instance's number is this state folder's."""
    return _owner(instance, folder) == str(instance.state)


def check_owner(instance: Instance, folder: Path = RUN_FOLDER) -> None:
    """ClusterError when the instance's number is in use by a cluster of another state folder."""
    owner = _owner(instance, folder)
    if owner and owner != str(instance.state) and (LINKS / instance.name).exists():
        raise ClusterError(
            f"cluster number {instance.number} is in use by {owner}, not by {instance.state}: "
            "take that one down, or choose another number with KUBELESS_CLUSTER_INSTANCE"
        )


def claim(instance: Instance, folder: Path = RUN_FOLDER) -> None:
    """Record the machine's settings, unless another instance did, and set what is needed.

    ClusterError when another state folder has this number, or a setting can't be made.
    """
    with locked(folder, "another cluster command"):
        check_owner(instance, folder)
        (folder / "instances").mkdir(exist_ok=True)
        (folder / "instances" / instance.name).write_text(f"{instance.state}\n")
        record = folder / "before.json"
        if not record.exists():
            made = [str(p) for p in OWN_FOLDERS if not p.exists()]
            part = folder / "before.part"
            part.write_text(json.dumps({"settings": read_settings(), "folders": made}, indent=1))
            part.replace(record)
        for path in OWN_FOLDERS:
            path.mkdir(parents=True, exist_ok=True)
        for name, value in CHANGED.items():
            if value and (SYSCTL / name).read_text().strip() != value:
                try:
                    (SYSCTL / name).write_text(value)
                except OSError as error:
                    raise ClusterError(
                        f"cannot set {name.replace('/', '.')} to {value}: {error.strerror}"
                    ) from error


def release(instance: Instance, folder: Path = RUN_FOLDER) -> list[str]:
    """Undo `claim`; the last instance restores the settings. What was done, in words."""
    if not folder.exists():
        return []
    done = []
    with locked(folder, "another cluster command"):
        (folder / "instances" / instance.name).unlink(missing_ok=True)
        if _others(instance, folder):
            return []
        record = folder / "before.json"
        if record.exists():
            before = json.loads(record.read_text())
            now = read_settings()
            for name, value in before["settings"].items():
                if now.get(name, value) != value:
                    (SYSCTL / name).write_text(value)
                    done.append(f"setting {name.replace('/', '.')}: {now[name]} -> {value}")
            for path in map(Path, before["folders"]):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
                    done.append(f"folder {path}")
        for entry in folder.glob("instances/*"):
            entry.unlink()
        for entry in (folder / "instances", record, folder / "before.part"):
            if entry.is_dir():
                entry.rmdir()
            else:
                entry.unlink(missing_ok=True)
        folder.rmdir()
    return done
