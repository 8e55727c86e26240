"""The suite's handlers as Functions of the local cluster: the images as they are deployed.

Pods are talked to at their own addresses, which the machine of a local cluster reaches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from conformance.client import BROKEN, Client, eventually
from conformance.languages import ROOT, Language
from kubeless_api.names import FUNCTION_KIND, FUNCTION_PLURAL, GROUP, VERSION
from kubeless_kube import client as kube
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import PODS, SERVICES, Resource
from support.functions import manifest

Object = dict[str, Any]
FUNCTIONS = Resource(GROUP, VERSION, FUNCTION_PLURAL, FUNCTION_KIND)
PORT = 8080
# A pod counts on little, so that many fit beside each other, and may take what a body of the largest size takes.
RESOURCES = {"requests": {"memory": "32Mi"}, "limits": {"memory": "1Gi"}}


def runtimes(language: Language) -> list[str]:
    """The ids of a language's rows in the chart's table."""
    table = yaml.safe_load((ROOT / "charts/kubeless/files/runtimes.yaml").read_text())
    found = [row["id"] for row in table if row["language"] == language.name]
    assert language.main in found, f"{language.name}: {language.main} is not in the table"
    return found


@dataclass
class Pod(Client):
    """The only pod of one Function."""

    api: kube.Client
    namespace: str
    name: str
    pod: str
    timeout: float
    runtime: str
    was_ready: bool = False

    def container(self) -> Object:
        """The status of the function's container; empty before it has one."""
        found = self.api.get(PODS, self.namespace, self.pod)["status"].get("containerStatuses")
        return dict(found[0]) if found else {}

    def ended(self) -> Object:
        """How the container ended last; empty while it never did."""
        status = self.container()
        for state in ("lastState", "state"):
            terminated: Object = (status.get(state) or {}).get("terminated") or {}
            if terminated:
                return terminated
        return {}

    def wait(self, seconds: float = 30) -> int:
        """The exit code of the container's first end."""
        code: int = eventually(self.ended, f"{self.name} ended", seconds, 0.05)["exitCode"]
        return code

    def termination(self) -> str:
        """The pod's termination message."""
        return str(self.ended().get("message", ""))

    def output(self) -> str:
        """The log of the container, of the one before it when that ended."""
        ended = (self.container().get("lastState") or {}).get("terminated")
        path = PODS.path(self.namespace, self.pod, "log")
        response = self.api.request("GET", path, query={"previous": "true" if ended else ""})
        return response.data.decode(errors="replace")

    def wrote(self, text: str) -> bool:
        """Wait until the log has ``text``."""
        eventually(lambda: text in self.output(), f"the log has {text!r}", pause=0.05)
        return True

    def service(self) -> Client:
        """The Function's Service, which has the pods that are ready."""
        found = self.api.get(SERVICES, self.namespace, self.name)["spec"]["clusterIP"]
        return Client(found, PORT)

    def replace(self) -> None:
        """Change the Function's environment, so that its pod is replaced by another."""
        changed = {"env": [{"name": "CHANGED", "value": "true"}]}
        self.api.patch(FUNCTIONS, self.namespace, self.name, {"spec": changed})

    def gone(self) -> bool:
        """Whether the pod is there no more."""
        try:
            self.api.get(PODS, self.namespace, self.pod)
        except NotFound:
            return True
        return False

    def wait_until_ready(self) -> None:
        """Wait for the first 200 of /healthz."""

        def ready() -> bool:
            try:
                return self.get("/healthz").status == 200
            except BROKEN:
                return False

        eventually(ready, f"{self.name} is ready", 60)
        self.was_ready = True

    def destroy(self) -> None:
        """Delete the Function; its pod goes with it. Fails when a pod that had been ready ended before."""
        try:
            ended = self.ended() if self.was_ready else {}
        except NotFound:
            ended = {}  # replaced by another, as the test wanted
        self.api.delete(FUNCTIONS, self.namespace, self.name)
        assert not ended, f"the server of {self.name} ended: {ended}"


@dataclass
class Images:
    """A namespace in the cluster for Functions of any image."""

    api: kube.Client
    namespace: str

    def deploy(
        self,
        language: Language,
        source: str,
        *,
        module: str,
        handler: str,
        env: Mapping[str, str | None] | None,
        timeout: float,
        **more: Any,
    ) -> Pod:
        """Apply a Function and wait until its pod has an address."""
        name = f"f-{uuid.uuid4().hex[:8]}"
        settings = dict(env or {})
        spec: Object = {
            "runtime": language.runtime,
            "handler": f"{module}.{handler}",
            "function": source,
            "timeout": f"{timeout:g}",
            "resources": RESOURCES,
            "concurrency": int(settings.pop("FUNC_CONCURRENCY", None) or 0),
            "env": [{"name": key, "value": value} for key, value in settings.items()],
            **more,
        }
        self.api.apply(FUNCTIONS, manifest(self.namespace, name, **spec), manager="conformance")

        def address() -> tuple[str, str] | None:
            for pod in self.api.list(PODS, self.namespace, labels=f"function={name}")["items"]:
                if pod["status"].get("podIP"):
                    return pod["metadata"]["name"], pod["status"]["podIP"]
            return None

        pod, host = eventually(address, f"the pod of {name} has an address", 60, 0.05)
        return Pod(host, PORT, self.api, self.namespace, name, pod, timeout, language.runtime)
