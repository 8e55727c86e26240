"""Namespaces that the tests' shared installation watches: each test borrows one, which is empty, and gives it back.

A namespace that was given back is emptied beside the tests that follow, and is borrowed again when nothing is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from kubeless_kube.client import Client
from kubeless_kube.errors import Conflict, NotFound
from kubeless_kube.resources import NAMESPACES, PODS, Resource
from support import shared
from support.waiting import wait_for

SIZE = 12
NAMES = tuple(f"kubeless-test-{number}" for number in range(SIZE))
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Only hardened pods may run there."""
EMPTY_SECONDS = 120.0
GRACEFUL_SECONDS = 20.0
OURS = "kubeless.io"
# What every namespace has, and what lets the installation work there.
STANDARD = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
RELEASE = "app.kubernetes.io/instance"
# Made and unmade by the cluster's controllers for what tests make: there may be more of them after the first look.
FOLLOWING = {"Pod", "ReplicaSet", "Job", "EndpointSlice", "ControllerRevision", "Event"}


def make(client: Client) -> None:
    """Have all namespaces of the pool, each with nothing but what an installation needs there."""
    for name in NAMES:
        with contextlib.suppress(Conflict):
            client.create(NAMESPACES, {"metadata": {"name": name, "labels": RESTRICTED}})


def remove(client: Client) -> None:
    """Delete all namespaces of the pool, and wait until they are gone."""
    for name in NAMES:
        with contextlib.suppress(NotFound):
            # What a test that was interrupted has left ends sooner than with its namespace.
            empty(client, name)
            client.delete(NAMESPACES, None, name)
    known = set(NAMES)
    wait_for(
        lambda: not known & {item["metadata"]["name"] for item in client.list(NAMESPACES)["items"]},
        "the pool's namespaces are gone",
        EMPTY_SECONDS,
    )


class Pool:
    """The namespaces for one process; other processes have pools of the same namespaces."""

    def __init__(self, client: Client, locks: Path | None = None) -> None:
        self._client = client
        self._folder = locks or shared.folder("namespaces")
        self._threads: list[threading.Thread] = []
        self._errors: list[str] = []

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[str]:
        """The name of a namespace that nobody else uses; it is emptied in the background afterwards."""
        name, lock = self._take()
        try:
            yield name
        finally:
            thread = threading.Thread(target=self._give_back, args=(name, lock))
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Wait until all that was borrowed is empty again. Raises AssertionError when something is not."""
        for thread in self._threads:
            thread.join()
        assert not self._errors, "\n".join(self._errors)

    def _take(self) -> tuple[str, io.TextIOWrapper]:
        deadline = time.monotonic() + EMPTY_SECONDS
        while True:
            for name in NAMES:
                lock = (self._folder / name).open("a")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    lock.close()
                    continue
                return name, lock
            assert time.monotonic() < deadline, "every namespace of the pool is in use"
            time.sleep(0.1)

    def _give_back(self, name: str, lock: io.TextIOWrapper) -> None:
        try:
            empty(self._client, name)
        except Exception as error:  # told by `close`: a thread has nobody to raise it to
            self._errors.append(f"{name} could not be emptied: {error}")
        finally:
            lock.close()


def empty(client: Client, namespace: str) -> None:
    """Delete all that tests made in a namespace, and wait until it is gone."""
    kinds = namespaced(client)
    # First what the controller makes other things for: it would make them again.
    ours = [kind for kind in kinds if kind.group == OURS]
    wait_for(
        lambda: not [kind for kind in ours if _swept(client, kind, namespace)],
        f"{namespace} has no Functions and triggers",
        EMPTY_SECONDS,
    )
    others = [kind for kind in kinds if kind.group != OURS]
    found = [kind for kind in others if _swept(client, kind, namespace)]
    looked_at = [kind for kind in others if kind in found or kind.kind in FOLLOWING]
    left: list[str] = []
    began = time.monotonic()

    def nothing_left() -> bool:
        # A kubelet with much to do is not waited for.
        grace = 1 if time.monotonic() - began < GRACEFUL_SECONDS else 0
        left[:] = [name for kind in looked_at for name in _swept(client, kind, namespace, grace)]
        return not left

    try:
        wait_for(nothing_left, f"{namespace} is empty", EMPTY_SECONDS, pause=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}; there is {', '.join(left)}") from None


def _swept(client: Client, resource: Resource, namespace: str, grace: int = 1) -> list[str]:
    """What there was of a kind; all of it is being deleted now."""
    try:
        found = client.list(resource, namespace, metadata_only=True)["items"]
    except NotFound:  # a kind that went with its definition
        return []
    left = [item for item in found if not _stays(resource, item)]
    # All at once where nothing stays and the cluster can do that.
    if left and not (len(left) == len(found) and _delete(client, resource, namespace, grace)):
        for item in left:
            _delete(client, resource, namespace, grace, item["metadata"]["name"])
    return [f"{resource.kind} {item['metadata']['name']}" for item in left]


def _delete(client: Client, resource: Resource, namespace: str, grace: int, name: str = "") -> bool:
    """Delete an object, or all of a kind; whether the cluster knows how to."""
    options: dict[str, object] = {"propagationPolicy": "Background"}
    if resource == PODS:
        # How they end is not what a test waits for any more.
        options["gracePeriodSeconds"] = grace
    answer = client.request(
        "DELETE",
        resource.path(namespace, name),
        body=json.dumps(options).encode(),
        headers={"Content-Type": "application/json"},
    )
    return answer.status != 405


def _stays(resource: Resource, item: dict[str, dict[str, dict[str, str]]]) -> bool:
    metadata = item["metadata"]
    of_release = resource.kind in ("Role", "RoleBinding") and RELEASE in metadata.get("labels", {})
    return of_release or (resource.kind, str(metadata["name"])) in STANDARD


def namespaced(client: Client) -> list[Resource]:
    """Every kind of object that can be listed in a namespace and deleted there, each in its preferred version."""
    found = {}
    for path in ("/api", "/apis"):
        groups = client.request(
            "GET",
            path,
            headers={
                "Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            },
        ).json()["items"]
        for group in groups:
            name = group["metadata"].get("name", "")
            for version in group["versions"]:
                for kind in version.get("resources", []):
                    if kind["scope"] == "Namespaced" and {"list", "delete"} <= set(kind["verbs"]):
                        resource = Resource(
                            name,
                            version["version"],
                            kind["resource"],
                            kind["responseKind"]["kind"],
                        )
                        found.setdefault((name, resource.plural), resource)
    # Events are served twice.
    return [kind for kind in found.values() if (kind.group, kind.kind) != ("", "Event")]
