"""Up and down.

`up` looks at what is there and does the least that makes it whole:
    all healthy                          nothing
    some components ended or changed     those are started, the rest runs on
    no component left, same boot         leftovers removed, started on the old data
    another boot (etcd does not sync)    leftovers and data removed, started fresh
`down` removes everything that `up` made, whatever state it is in; the images
stay for the next `up` unless `purge`.
"""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from pathlib import Path

from . import (
    certificates,
    component,
    controlplane,
    coredns,
    health,
    host,
    images,
    kubeconfig,
    mounts,
    namespaces,
    network,
    nodeparts,
)
from .binaries import MODULE, Binaries
from .cgroups import Cgroups
from .component import Component
from .errors import ClusterError
from .instance import MEMORY, Instance, remember
from .lock import locked
from .probe import Api
from .progress import Durations, say, seconds, step
from .waiting import wait

MARKER = "CACHEDIR.TAG"
"""A folder with this file is ours to empty; the name also keeps backups out of it."""
MARK = "Signature: 8a477f597d28d172789f06886806bc55\n# State of a kubeless local cluster.\n"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
KEPT = "containerd"
"""Folder of a node that `down` keeps: the images."""


def require_root(what: str) -> None:
    if os.geteuid() != 0:
        raise ClusterError(
            f"`cluster {what}` needs root (found user id {os.geteuid()}): it makes cgroups, "
            f"namespaces and a bridge. Try: sudo -E {MODULE / 'cluster'} {what}"
        )


def own_folder(instance: Instance) -> None:
    """Mark a new state folder as ours; ClusterError for a folder that holds something else."""
    state = instance.state
    files = (state / MARKER).exists() or (state / MEMORY).exists()
    # Someone may have removed the folder, as far as that goes, under a running cluster.
    if files or network.is_ours(instance) or host.is_owner(instance):
        state.mkdir(parents=True, exist_ok=True)
        (state / MARKER).write_text(MARK)
        return
    try:
        found = sorted(entry.name for entry in state.iterdir())
    except FileNotFoundError:
        found = []
    except NotADirectoryError as error:
        raise ClusterError(f"state folder {state} is not a folder") from error
    if found:
        raise ClusterError(
            f"state folder {state} holds what no cluster made ({found[0]}, {len(found)} entries): "
            "choose an empty or a new folder with KUBELESS_CLUSTER_STATE"
        )
    state.mkdir(parents=True, exist_ok=True)
    (state / MARKER).write_text(MARK)


def all_components(instance: Instance, binaries: Binaries) -> list[Component]:
    """Every component, in the order of starting."""
    node = nodeparts.components(instance.node, binaries)
    return [node[0], *controlplane.components(instance, binaries), *node[1:]]


def up(instance: Instance, binaries: Binaries) -> None:
    """Make the cluster whole and wait until its node and its DNS are ready.

    Raises ClusterError naming the component that failed, with its last log lines.
    """
    own_folder(instance)
    with locked(instance.state, "another cluster command"):
        own_folder(instance)  # the one who was waited for may have removed it
        instance.state.chmod(0o700)
        begin = time.monotonic()
        parts = all_components(instance, binaries)
        record = instance.state / "boot-id"
        if record.exists() and record.read_text() == BOOT_ID.read_text():
            found = health.look(instance, parts)
            if all(h.ok for h in found) and _dns_is_current(instance, binaries):
                say(f"the cluster is up (looked for {seconds(time.monotonic() - begin)})")
                return
            if not all(h.ok for h in found):
                bad = ", ".join(f"{h.name} {h.state}" for h in found if not h.ok)
                say(f"not whole: {bad}")
            if not any(h.pid for h in found):
                _report("removed what was left over:", take_down(instance))
        else:
            _report("removed what was left over:", take_down(instance))
            _forget(instance)
        remember(instance)
        record.write_text(BOOT_ID.read_text())
        _raise(instance, binaries)
        say(f"the cluster is up after {seconds(time.monotonic() - begin)}")


def _raise(instance: Instance, binaries: Binaries) -> None:
    node = instance.node
    durations = Durations(instance.state / "durations.json")
    with step("certificates, network and namespaces", durations):
        certificates.ensure(instance)
        kubeconfig.ensure(instance)
        pause = images.pause()
        nodeparts.write_files(node, pause.name, network.default_mtu())
        whole = network.whole(instance) and namespaces.exist(node)
        if not whole:
            _report("removed what was left over:", take_down(instance))
            network.check_free(instance)
            nodeparts.write_files(node, pause.name, network.default_mtu())
        Cgroups(instance.name).create()
        host.claim(instance)
        if not whole:
            namespaces.create(node)
            network.create(instance)
    parts = {c.name: c for c in all_components(instance, binaries)}
    cgroups = Cgroups(instance.name)
    first = [parts[name] for name in ("containerd", "etcd", "kube-apiserver")]
    with step("containerd, etcd, kube-apiserver", durations):
        fresh = _start(first, cgroups)
        component.wait_ready([parts["containerd"]], cgroups, fresh)
        own = images.coredns(binaries)
        images.ensure_own(images.Store(node, binaries), [pause, own])
        component.wait_ready(first, cgroups, fresh)
    rest = [c for c in parts.values() if c not in first]
    with step("controller-manager, scheduler, kubelet, kube-proxy", durations):
        fresh = _start(rest, cgroups)
        forward = "nameserver" in (node.state / "resolv.conf").read_text()
        api = Api(instance)
        wait("the namespace kube-system", lambda: api.ask("/api/v1/namespaces/kube-system").ok)
        for path, wanted in coredns.manifests(instance, own.name, forward=forward):
            api.apply(path, wanted)
        component.wait_ready(rest, cgroups, fresh)
    with step("node and DNS", durations):
        tail = partial(_tail, parts["kubelet"])
        wait(f"node {node.name} to be Ready", lambda: health.node_ready(instance), tail)
        wait("CoreDNS to be available", lambda: health.dns_ready(instance), tail)


def _start(components: list[Component], cgroups: Cgroups) -> frozenset[str]:
    """Start those that don't run, and those whose configuration changed once more; which ones."""
    started = set()
    for part in components:
        running = component.find(part, cgroups) is not None
        if running and component.current(part):
            continue
        if running:
            component.stop(part, cgroups)
        component.start(part, cgroups)
        started.add(part.name)
    return frozenset(started)


def _tail(part: Component) -> list[str]:
    lines = [f"last lines of {part.name}:", *component.last_lines(part)]
    return [*lines, f"all of it: {part.log}"]


def _dns_is_current(instance: Instance, binaries: Binaries) -> bool:
    found = Api(instance).get(coredns.DEPLOYMENT) or {}
    containers = found.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
    return any(c.get("image") == images.coredns(binaries).name for c in containers)


def take_down(instance: Instance) -> list[str]:
    """Remove processes, mounts, namespaces, network and settings; what was removed, in words."""
    done = []
    host.check_owner(instance)
    network.check_owner(instance)
    cgroups = Cgroups(instance.name)
    names: dict[str, int] = {}
    for pid in cgroups.pids():
        words = component.command_line(pid)
        name = Path(words[0]).name if words else "(ended)"
        names[name] = names.get(name, 0) + 1
    killed = cgroups.kill()
    if killed:
        counts = ", ".join(f"{n} {k}" if n > 1 else k for k, n in sorted(names.items()))
        done.append(f"{len(killed)} processes: {counts}")
    trees = cgroups.remove()
    if trees:
        done.append(f"cgroup {instance.name} in {len(trees)} hierarchies")
    done += [f"mount {path}" for path in mounts.unmount_below(instance.state)]
    done += network.remove(instance)
    done += host.release(instance)
    # Sockets, the pods' network namespaces and address leases of what just ended.
    shutil.rmtree(instance.node.state / "run", ignore_errors=True)
    return done


def _forget(instance: Instance) -> None:
    """Remove the data of the cluster that was, but not its images."""
    for path in instance.state.iterdir() if instance.state.is_dir() else []:
        if path.name == "nodes":
            for node in path.iterdir():
                for entry in node.iterdir():
                    if entry.name != KEPT:
                        _delete(entry)
        elif path.name not in (MARKER, "durations.json"):
            _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _size(folder: Path) -> int:
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


def down(instance: Instance, *, purge: bool) -> None:
    """Remove the cluster; with `purge` the images and the state folder too."""
    made = network.is_ours(instance) or Cgroups(instance.name).tracked.exists()
    if not instance.state.exists() and not made:
        say(f"nothing to remove: no cluster in {instance.state}")
        return
    own_folder(instance)
    with locked(instance.state, "another cluster command"):
        done = take_down(instance)
        own = ("nodes", "durations.json", MARKER)
        had = [p for p in instance.state.iterdir() if p.name not in own]
        if purge:
            shutil.rmtree(instance.state)
            done.append(f"folder {instance.state}")
        else:
            _forget(instance)
            done += [f"data {path}" for path in had]
        if done:
            _report("removed:", done)
        else:
            say("nothing to remove: the cluster is down")
        kept = [] if purge else sorted(instance.state.glob(f"nodes/*/{KEPT}"))
        for folder in kept:
            size = _size(folder / "io.containerd.content.v1.content") >> 20
            say(
                f"kept for the next `up`: images in {folder} ({size} MiB); "
                "`down --purge` removes them"
            )


def _report(title: str, lines: list[str]) -> None:
    if lines:
        say("\n".join([title, *(f"  {line}" for line in lines)]))
