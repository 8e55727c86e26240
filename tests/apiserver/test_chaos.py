"""The API server goes and comes back, last of all in a minute of everything at once; the world is what the specs say.

Here, and not beside others: whoever shares the control plane has to wait for it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Unreachable
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SERVICES
from support.control_plane import ControlPlane
from support.controller import Controller
from support.functions import manifest
from support.objects import exists
from support.waiting import wait_for
from support.world import difference

Object = dict[str, Any]

SEED = int(os.environ.get("KUBELESS_CHAOS_SEED", "0")) or random.randrange(1, 10**6)
FUNCTIONS_COUNT = 300
SECONDS = 60.0
SETTLED_SECONDS = 10.0
MAKERS = 4
# Each Function is hit every twenty seconds: on two cores the API server has room for that, and for what the controller and
# the cluster's own controllers then write.
MOVES_PER_SECOND = 15.0


def random_function(chance: random.Random, namespace: str, name: str) -> Object:
    spec: Object = {
        "function": f"def handler(event, context):\n    return {chance.randrange(1000)}\n",
        "replicas": chance.randrange(3),
        "env": [{"name": "N", "value": str(chance.randrange(1000))}],
    }
    if chance.random() < 0.2:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        spec["horizontalPodAutoscaler"] = {
            "metadata": {"name": name},
            "spec": {"scaleTargetRef": target, "maxReplicas": chance.randrange(1, 4)},
        }
    if chance.random() < 0.2:
        spec["service"] = {"ports": [{"port": chance.randrange(1000, 2000)}]}
    if chance.random() < 0.2:
        spec["deps"] = "flask\n"
    return manifest(namespace, name, labels={"team": str(chance.randrange(3))}, **spec)


class Noise:
    """What people, and mishaps, do to a namespace; each of its moves may fail and then did nothing."""

    def __init__(self, client: Client, namespace: str, chance: random.Random) -> None:
        self._client = client
        self._namespace = namespace
        self._chance = chance
        self._moves: list[tuple[Callable[[str], object], int]] = [
            (self._write, 60),
            (self._delete, 12),
            (self._delete_child, 14),
            (self._edit_child, 14),
        ]

    def move(self) -> None:
        """One random move."""
        moves, weights = zip(*self._moves, strict=True)
        (chosen,) = self._chance.choices(moves, weights)
        try:
            chosen(f"f{self._chance.randrange(FUNCTIONS_COUNT)}")
        except (ApiError, Unreachable):
            time.sleep(0.05)

    def _write(self, name: str) -> None:
        wanted = random_function(self._chance, self._namespace, name)
        self._client.apply(FUNCTIONS, wanted, manager="user")

    def _delete(self, name: str) -> None:
        how = self._chance.choice(("Background", "Foreground"))
        self._client.delete(FUNCTIONS, self._namespace, name, propagation=how)

    def _delete_child(self, name: str) -> None:
        resource = self._chance.choice((DEPLOYMENTS, SERVICES, CONFIGMAPS, AUTOSCALERS))
        labels = f"created-by=kubeless,function={name}"
        for item in self._client.list(resource, self._namespace, labels=labels)["items"]:
            self._client.delete(resource, self._namespace, item["metadata"]["name"])

    def _edit_child(self, name: str) -> None:
        resource, path, value = self._chance.choice(
            (
                (DEPLOYMENTS, "/spec/template/spec/containers/0/image", "somebody/else:1"),
                (DEPLOYMENTS, "/metadata/labels/team", "another"),
                (DEPLOYMENTS, "/spec/template/spec/containers/0/env/0/value", "changed"),
                (SERVICES, "/spec/ports/0/port", 9),
            )
        )
        edit = [{"op": "replace", "path": path, "value": value}]
        self._client.patch(resource, self._namespace, name, edit, kind="json", manager="somebody")


@pytest.mark.usefixtures("controlled")
def test_the_api_server_restarts(
    control_plane: ControlPlane,
    client: Client,
    namespace: str,
    deploy: Callable[..., Object],
    condition: Callable[..., Object],
) -> None:
    deploy("before")
    condition("before", "Accepted", "Valid")
    control_plane.api_server.kill()
    control_plane.start_api_server()
    wait_for(lambda: is_up(client), "the API server is back", 60)
    deploy("after")
    condition("after", "Accepted", "Valid")
    client.delete(SERVICES, namespace, "before")
    wait_for(lambda: exists(client, SERVICES, namespace, "before"), "drift is repaired as before")


def is_up(client: Client) -> bool:
    try:
        client.list(FUNCTIONS)
    except (ApiError, Unreachable):
        return False
    return True


@pytest.mark.timeout(600)
def test_a_minute_of_noise(
    control_plane: ControlPlane,
    client: Client,
    namespace: str,
    controller_process: Controller,
    capsys: pytest.CaptureFixture[str],
) -> None:
    controller = controller_process
    controller.configure(watchNamespaces=[])
    controller.start()
    print(f"KUBELESS_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    stop = threading.Event()

    def make_noise(seed: int) -> None:
        noise = Noise(client, namespace, random.Random(seed))
        while not stop.wait(MAKERS / MOVES_PER_SECOND):
            noise.move()

    with ThreadPoolExecutor(MAKERS) as pool:
        running = [pool.submit(make_noise, chance.randrange(10**6)) for _ in range(MAKERS)]
        try:
            began, restarted = time.monotonic(), False
            while time.monotonic() < began + SECONDS:
                time.sleep(chance.uniform(1, 6))
                if not restarted and time.monotonic() > began + SECONDS / 2:
                    control_plane.api_server.kill()
                    control_plane.start_api_server()
                    control_plane.restart_manager()
                    restarted = True
                assert controller.process is not None
                controller.process.kill()
                controller.spawn()
        finally:
            stop.set()
        for one in running:
            one.result()
    quiet = time.monotonic()
    looked, found = quiet, "nothing was looked at"
    while found and looked < quiet + SETTLED_SECONDS:
        time.sleep(0.5)
        # What a look reads, it reads when it begins.
        looked = time.monotonic()
        found = difference(client, namespace)
    with capsys.disabled():
        print(f"\nchaos (seed {SEED}): {found or 'exact'}, {looked - quiet:.1f} s after the noise")
    assert not found, f"seed {SEED}: {found}"
