"""Installations of the chart beside each other in the local cluster, each for namespaces of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import LEASES, NAMESPACES, PODS
from support.control_plane import ROOT, programs

Object = dict[str, Any]
CHART = ROOT / "charts/kubeless"
IMAGES = ROOT / "build/images.yaml"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
# What is the cluster's, and not a release's, belongs to the one that all share; so does the broker.
BESIDE = {"crds.enabled": False, "kafka.enabled": False}


@dataclass(frozen=True)
class Installation:
    """A release in a namespace of the same name."""

    client: Client
    environment: Mapping[str, str]
    name: str

    def helm(self, *arguments: str | Path) -> None:
        """Run helm in the release's namespace. Fails with what it said."""
        command = [programs() / "helm", *arguments, "--namespace", self.name]
        done = subprocess.run(
            command, env=dict(self.environment), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *options: str | Path, chart: Path = CHART, **values: Any) -> None:
        """Install or upgrade it with these values, and wait until it is ready."""
        options += tuple(f"--set-json={key}={json.dumps(value)}" for key, value in values.items())
        waiting = ("--wait", "--timeout", "3m")
        self.helm("upgrade", "--install", self.name, chart, *waiting, *options)

    def leader(self) -> str:
        """The name of the pod that holds the lease; '' while none does."""
        lease = self.client.get(LEASES, self.name, f"{self.name}-controller")
        holder: str = lease["spec"].get("holderIdentity") or ""
        return holder.partition("_")[0]

    def controllers(self) -> list[str]:
        """The names of the controller's pods."""
        labels = "app.kubernetes.io/component=controller"
        pods = self.client.list(PODS, self.name, labels=labels)["items"]
        return [pod["metadata"]["name"] for pod in pods]


@contextlib.contextmanager
def new_namespace(client: Client, name: str = "e2e") -> Iterator[str]:
    """A namespace that no other test knows, in which only hardened pods may run; deleted in the background."""
    name = f"{name}-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})
    yield name
    client.delete(NAMESPACES, None, name)


@contextlib.contextmanager
def installed(
    client: Client,
    environment: Mapping[str, str],
    watched: Sequence[str],
    values: Mapping[str, Any] | None = None,
) -> Iterator[Installation]:
    """An installation of this clone's chart that looks after some namespaces only."""
    with new_namespace(client, "kubeless") as name:
        made = Installation(client, environment, name)
        wanted = {**BESIDE, "watchNamespaces": list(watched), **(values or {})}
        made.install("--values", IMAGES, **wanted)
        try:
            yield made
        finally:
            made.helm("uninstall", name)
