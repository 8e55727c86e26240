"""What is up and what is not: asked from the components, never remembered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from . import coredns, host, namespaces, network
from .cgroups import Cgroups
from .component import Component, current, find
from .errors import ClusterError
from .instance import Instance
from .probe import Api


@dataclass(frozen=True)
class Health:
    """One look at a component or an object of the cluster."""

    name: str
    state: str
    """`up`, or why not."""
    pid: int | None = None
    version: str = ""

    @property
    def ok(self) -> bool:
        return self.state == "up"


def condition(found: dict[str, Any] | None, kind: str) -> bool:
    """Whether an object's status says True for condition `kind`."""
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    return any(c.get("type") == kind and c.get("status") == "True" for c in conditions)


def deployment_is_settled(found: dict[str, Any] | None) -> bool:
    """Whether a Deployment's newest form is available everywhere."""
    if not found or not condition(found, "Available"):
        return False
    status, wanted = found["status"], int(found["spec"].get("replicas", 1))
    return (
        int(status.get("observedGeneration", 0)) >= int(found["metadata"]["generation"])
        and int(status.get("updatedReplicas", 0)) == wanted
        and int(status.get("availableReplicas", 0)) == wanted
    )


def daemon_set_is_settled(found: dict[str, Any] | None) -> bool:
    """Whether a DaemonSet's newest form is available on every node that it wants."""
    status = (found or {}).get("status") or {}
    wanted = int(status.get("desiredNumberScheduled", 0))
    return (
        found is not None
        and wanted > 0
        and int(status.get("observedGeneration", 0)) >= int(found["metadata"]["generation"])
        and int(status.get("updatedNumberScheduled", 0)) == wanted
        and int(status.get("numberAvailable", 0)) == wanted
    )


def node_ready(instance: Instance) -> bool:
    return condition(Api(instance).get(f"/api/v1/nodes/{instance.node.name}"), "Ready")


def dns_ready(instance: Instance) -> bool:
    return deployment_is_settled(Api(instance).get(coredns.DEPLOYMENT))


def look(instance: Instance, components: list[Component]) -> list[Health]:
    """Everything that has to be up, asked at the same time."""
    try:
        cgroups = Cgroups(instance.name)
    except ClusterError as error:
        return [Health("cgroups", str(error))]
    if not (network.whole(instance) and namespaces.exist(instance.node)):
        return [Health("network", "down"), *(Health(c.name, "down") for c in components)]
    settings = [Health("network", "up")] if host.is_set() else [Health("network", "not forwarding")]

    def one(component: Component) -> Health:
        pid = find(component, cgroups)
        if pid is None:
            return Health(component.name, "down")
        state = "up" if component.ready() else "not ready"
        if state == "up" and not current(component):
            state = "up with an older configuration"
        return Health(component.name, state, pid)

    def node() -> Health:
        found = _get(instance, f"/api/v1/nodes/{instance.node.name}")
        version = ((found or {}).get("status") or {}).get("nodeInfo", {}).get("kubeletVersion", "")
        state = "up" if condition(found, "Ready") else "not ready"
        return Health(f"node {instance.node.name}", state, version=version)

    def dns() -> Health:
        found = _get(instance, coredns.DEPLOYMENT)
        return Health("coredns", "up" if deployment_is_settled(found) else "not available")

    with ThreadPoolExecutor(max_workers=12) as pool:
        parts = [pool.submit(one, c) for c in components] + [pool.submit(node), pool.submit(dns)]
        return settings + [part.result() for part in parts]


def _get(instance: Instance, path: str) -> dict[str, Any] | None:
    try:
        return Api(instance).get(path)
    except ClusterError:
        return None
