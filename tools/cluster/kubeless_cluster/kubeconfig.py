"""Kubeconfig files: the user's, and one for each component that calls the API."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from .instance import Instance


def render(instance: Instance, identity: str) -> str:
    """A self-contained kubeconfig for the certificate called `identity`."""

    def data(name: str) -> str:
        return base64.b64encode((instance.pki / name).read_bytes()).decode()

    label = f"kubeless-cluster-{instance.number}"
    return f"""apiVersion: v1
kind: Config
clusters:
- name: {label}
  cluster:
    server: {instance.api_url}
    certificate-authority-data: {data("ca.crt")}
users:
- name: {label}-{identity}
  user:
    client-certificate-data: {data(f"{identity}.crt")}
    client-key-data: {data(f"{identity}.key")}
contexts:
- name: {label}
  context:
    cluster: {label}
    user: {label}-{identity}
    namespace: default
current-context: {label}
"""


def write(path: Path, text: str) -> None:
    """Replace `path` at once, readable by its owner only; untouched when it already says so."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as sink:
        sink.write(text)
    part.replace(path)


def ensure(instance: Instance) -> None:
    write(instance.kubeconfig, render(instance, "admin"))
    for identity in ("controller-manager", "scheduler"):
        write(instance.control_plane / f"{identity}.kubeconfig", render(instance, identity))
    node = instance.node
    write(node.state / "kubelet.kubeconfig", render(instance, f"kubelet-{node.name}"))
    write(node.state / "proxy.kubeconfig", render(instance, "proxy"))
