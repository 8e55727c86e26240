"""A node's network and mount namespace, kept alive by two files in its state folder.

In its mount namespace the folders that Kubernetes hard-codes are the node's
own, so neither a kubelet nor a containerd of the user's is touched; host
mounts and unmounts still reach it, and none of its mounts reach the host.
"""

from __future__ import annotations

from pathlib import Path

from . import command, mounts, packages
from .instance import Node

OWN_FOLDERS = {
    Path("/run/containerd"): "run",
    Path("/var/lib/kubelet"): "kubelet",
    Path("/var/log/containers"): "logs/containers",
}
"""Folder as the node's programs see it, and where it is in the node's state folder."""


def exist(node: Node) -> bool:
    """Whether both namespaces are there."""
    points = {m.point for m in mounts.table() if m.kind == "nsfs"}
    return all(node.namespaces / kind in points for kind in ("net", "mnt"))


def enter(node: Node, *, network_only: bool = False) -> list[str]:
    """The words before a command that put it into the node's namespaces."""
    words = [str(packages.program("nsenter")), f"--net={node.namespaces / 'net'}"]
    if not network_only:
        words.append(f"--mount={node.namespaces / 'mnt'}")
    return [*words, "--"]


def create(node: Node) -> None:
    """Make both namespaces; the folders of OWN_FOLDERS must exist on the host."""
    folder = node.namespaces
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("net", "mnt"):
        (folder / kind).touch()
    # A mount namespace can only be kept by a file on a private mount.
    command.run(["mount", "--bind", folder, folder])
    command.run(["mount", "--make-private", folder])
    script = ["set -e", "mount --make-rshared /"]
    words = []
    for number, (seen, own) in enumerate(OWN_FOLDERS.items()):
        (node.state / own).mkdir(parents=True, exist_ok=True)
        script.append(f'mount --bind "${{{2 * number + 1}}}" "${{{2 * number + 2}}}"')
        words += [str(node.state / own), str(seen)]
    command.run(
        [
            "unshare", f"--net={folder / 'net'}", f"--mount={folder / 'mnt'}",
            "--propagation", "slave", "sh", "-c", "\n".join(script), "sh", *words,
        ]
    )  # fmt: skip
