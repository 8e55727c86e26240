"""kill -9 for what runs in a pod of the local cluster, from this host: nothing in the pod can prepare for it."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import PODS


def kill_pod(client: Client, namespace: str, name: str, *, remove: bool = False) -> bool:
    """Kill all processes of a pod's first container; whether there were any.

    The kubelet starts it again in the same pod. With ``remove`` the pod goes at once instead, as one whose node
    died, and its Deployment makes another.
    """
    try:
        pod = client.get(PODS, namespace, name)
    except NotFound:
        return False
    pids = container_pids(pod)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if remove:
        # No time to end in: also not for a container that the kubelet has started again just now.
        client.request(
            "DELETE",
            PODS.path(namespace, name),
            body=b'{"gracePeriodSeconds": 0}',
            headers={"Content-Type": "application/json"},
        )
    return bool(pids)


def container_pids(pod: dict[str, object]) -> list[int]:
    """The processes of a pod's first container, by its cgroup; none when it does not run."""
    status: dict[str, list[dict[str, str]]] = pod.get("status", {})  # type: ignore[assignment]
    identifier = (status.get("containerStatuses") or [{}])[0].get("containerID", "")
    _, _, wanted = identifier.partition("://")
    if not wanted:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "cgroup").read_text():
                    found.append(int(entry.name))
    return found
