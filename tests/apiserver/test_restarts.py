"""The controller comes and goes, at any moment; what the specs say stays."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS, caches
from kubeless_controller.reconcile.function import FunctionReconciler
from kubeless_controller.reconcile.informers import Informers
from kubeless_kube.client import Client
from kubeless_kube.errors import Fenced
from kubeless_kube.events import EventRecorder
from kubeless_kube.informer import key_of
from kubeless_kube.resources import DEPLOYMENTS
from support.control_plane import ControlPlane
from support.controller import Controller
from support.functions import manifest
from support.waiting import wait_for
from support.world import accepted, difference, installed

Object = dict[str, Any]


def source(version: int) -> str:
    return f"def handler(event, context):\n    return {version}\n"


def test_a_restart_finds_everything_and_writes_nothing(
    client: Client, namespace: str, controller_process: Controller
) -> None:
    controller = controller_process
    controller.configure(watchNamespaces=[])
    controller.start()
    names = [f"f{number}" for number in range(30)]
    for name in names:
        spec: Object = {
            # Values that the API server writes in another way than they were asked for.
            "resources": {
                "limits": {"cpu": "1000m", "memory": "1024Mi"},
                "requests": {"cpu": "0.5"},
            },
            "env": [{"name": "EMPTY", "value": ""}, {"name": "A", "value": "1"}],
            "service": {"ports": [{"port": 80, "targetPort": "9090"}]},
        }
        client.apply(FUNCTIONS, manifest(namespace, name, **spec), manager="user")
    for name in names:
        wait_for(
            lambda name=name: accepted(client.get(FUNCTIONS, namespace, name)), f"{name} is built"
        )
    wait_for(controller.settled, "the controller has nothing to do")
    assert controller.process is not None
    assert controller.process.stop() == 0, controller.process.tail()
    controller.start()
    wait_for(
        lambda: controller.metric("controller_runtime_reconcile_total") >= len(names),
        "every Function is looked at",
    )
    wait_for(controller.settled, "the controller has nothing to do")
    assert controller.writes() == 0, controller.process.tail(60)


def test_kill_9_at_any_moment_of_50_applies_and_deletes(
    client: Client, namespace: str, controller_process: Controller
) -> None:
    chance = random.Random(7)
    controller_process.start()
    wanted: dict[str, int] = {}
    for step in range(50):
        name = f"f{chance.randrange(12)}"
        if name in wanted and chance.random() < 0.4:
            client.delete(FUNCTIONS, namespace, name)
            del wanted[name]
        else:
            wanted[name] = step
            client.apply(
                FUNCTIONS,
                manifest(namespace, name, function=source(step), replicas=step % 3),
                manager="user",
            )
        if step % 5 == 2:
            time.sleep(chance.uniform(0, 0.15))
            assert controller_process.process is not None
            controller_process.process.kill()
            controller_process.start()

    assert_exact(client, namespace, 60)
    found = {item["metadata"]["name"]: item for item in client.list(FUNCTIONS, namespace)["items"]}
    assert found.keys() == wanted.keys()
    for name, step in wanted.items():
        assert found[name]["spec"]["function"] == source(step)


def assert_exact(client: Client, namespace: str, seconds: float) -> None:
    """Wait until the world is what the specs say; fails with what is not."""
    try:
        wait_for(lambda: not difference(client, namespace), "the world is exact", seconds)
    except AssertionError:
        raise AssertionError(difference(client, namespace) or "exact, but late") from None


def test_a_pass_that_does_not_know_the_deployment_yet_scales_it_all_the_same(
    client: Client, namespace: str
) -> None:
    """As after a restart beside an API server that is slow to tell what is there."""
    name = "hello"
    one_pass(client, client.apply(FUNCTIONS, manifest(namespace, name, replicas=2), manager="user"))
    assert accepted(client.get(FUNCTIONS, namespace, name))
    function = client.apply(FUNCTIONS, manifest(namespace, name, replicas=0), manager="user")
    one_pass(client, function)
    assert client.get(DEPLOYMENTS, namespace, name)["spec"]["replicas"] == 0


def one_pass(client: Client, function: Object, *known: Object) -> None:
    """What a worker does with a Function when its caches hold that, and the Deployments ``known``, and nothing else."""
    world = caches(Informers(client, ()))
    world.functions.remember(function)
    for deployment in known:
        world.deployments.remember(deployment)
    events = EventRecorder(client, "kubeless-controller", "test")
    FunctionReconciler(client, world, installed(), events).reconcile(key_of(function))


@pytest.mark.parametrize("writes", range(4))
def test_one_that_ends_between_two_writes_does_not_leave_a_number_that_nobody_wishes_for(
    control_plane: ControlPlane, client: Client, namespace: str, writes: int
) -> None:
    """The wish goes from 2 to 1, the controller ends after so many writes, and the wish is 2 again."""
    name = "hello"

    def wish(replicas: int) -> Object:
        return client.apply(FUNCTIONS, manifest(namespace, name, replicas=replicas), manager="user")

    def deployment() -> Object:
        return client.get(DEPLOYMENTS, namespace, name)

    one_pass(client, wish(2))
    assert accepted(client.get(FUNCTIONS, namespace, name))
    left = iter(range(writes))
    ending = Client.from_kubeconfig(
        str(control_plane.kubeconfig), fence=lambda: next(left, None) is not None
    )
    function = wish(1)
    with contextlib.suppress(Fenced):
        one_pass(ending, function, deployment())
    one_pass(client, wish(2), deployment())
    assert deployment()["spec"]["replicas"] == 2
