"""The suite's handlers as Functions of the local cluster: the images as they are deployed.

The cluster has to be up with Kubeless in it (`make up`). Pods are talked to at
their own addresses, which the machine of a local cluster reaches.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import yaml

from conformance.client import BROKEN, Client, eventually
from conformance.languages import ROOT, Language
from kubeless_api.names import FUNCTION_KIND, FUNCTION_PLURAL, GROUP, VERSION
from kubeless_kube import client as kube
from kubeless_kube.resources import NAMESPACES, PODS, Resource
from support.functions import manifest

FUNCTIONS = Resource(GROUP, VERSION, FUNCTION_PLURAL, FUNCTION_KIND)
PORT = 8080
MEMORY_LIMIT = "1Gi"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def runtimes(language: Language) -> list[str]:
    """The ids of a language's rows in the chart's table."""
    table = yaml.safe_load((ROOT / "charts/kubeless/files/runtimes.yaml").read_text())
    return [row["id"] for row in table if row["language"] == language.name]


@dataclass
class Pod(Client):
    """The only pod of one Function."""

    api: kube.Client
    namespace: str
    name: str
    pod: str
    timeout: float
    runtime: str

    def output(self) -> str:
        """The pod's log."""
        path = PODS.path(self.namespace, self.pod, "log")
        return self.api.request("GET", path).data.decode(errors="replace")

    def wait_until_ready(self) -> None:
        """Wait for the first 200 of /healthz."""

        def ready() -> bool:
            try:
                return self.get("/healthz").status == 200
            except BROKEN:
                return False

        eventually(ready, f"{self.name} is ready", 60)

    def destroy(self) -> None:
        """Delete the Function; its pod goes with it."""
        self.api.delete(FUNCTIONS, self.namespace, self.name)


@dataclass
class Cluster:
    """A namespace of the suite's own in the local cluster."""

    api: kube.Client
    namespace: str

    @classmethod
    @contextmanager
    def connect(cls) -> Iterator[Cluster]:
        """Make the namespace, and delete it in the end. Fails when no cluster is up."""
        tool = ROOT / "tools/cluster/cluster"
        found = subprocess.run([tool, "kubeconfig"], capture_output=True, text=True, check=False)
        assert found.returncode == 0, f"no cluster is up, `make up` brings it: {found.stderr}"
        api = kube.Client.from_kubeconfig(found.stdout.strip())
        name = f"conformance-{uuid.uuid4().hex[:8]}"
        api.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})
        try:
            yield cls(api, name)
        finally:
            api.delete(NAMESPACES, None, name)

    def deploy(
        self,
        language: Language,
        source: str,
        *,
        module: str,
        handler: str,
        env: Mapping[str, str | None] | None,
        timeout: float,
    ) -> Pod:
        """Apply a Function and wait until its pod has an address."""
        name = f"f-{uuid.uuid4().hex[:8]}"
        settings = dict(env or {})
        spec: dict[str, Any] = {
            "runtime": language.runtime,
            "handler": f"{module}.{handler}",
            "function": source,
            "timeout": f"{timeout:g}",
            "resources": {"limits": {"memory": MEMORY_LIMIT}},
            "concurrency": int(settings.pop("FUNC_CONCURRENCY", None) or 0),
            "env": [{"name": key, "value": value} for key, value in settings.items()],
        }
        self.api.apply(FUNCTIONS, manifest(self.namespace, name, **spec), manager="conformance")

        def address() -> tuple[str, str] | None:
            for pod in self.api.list(PODS, self.namespace, labels=f"function={name}")["items"]:
                if pod["status"].get("podIP"):
                    return pod["metadata"]["name"], pod["status"]["podIP"]
            return None

        pod, host = eventually(address, f"the pod of {name} has an address", 60)
        return Pod(host, PORT, self.api, self.namespace, name, pod, timeout, language.runtime)
