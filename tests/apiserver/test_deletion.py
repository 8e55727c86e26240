"""A Function's end, however it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import (
    AUTOSCALERS,
    CONFIGMAPS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    REPLICASETS,
    SERVICES,
)
from support.control_plane import ControlPlane
from support.controller import Controller
from support.functions import manifest
from support.namespaces import made
from support.objects import gone
from support.waiting import wait_for
from support.world import owner

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
CHILDREN = (CONFIGMAPS, DEPLOYMENTS, SERVICES, AUTOSCALERS, REPLICASETS)
AUTOSCALER = {
    "metadata": {"name": "hello"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "hello"}, "maxReplicas": 2},
}


def left(client: Client, namespace: str) -> list[str]:
    return [
        f"{resource.kind} {item['metadata']['name']}"
        for resource in CHILDREN
        for item in client.list(resource, namespace, labels="created-by=kubeless")["items"]
    ]


@pytest.mark.usefixtures("controlled")
@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_nothing_is_left(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, propagation: Any
) -> None:
    deploy(horizontalPodAutoscaler=AUTOSCALER)
    condition("hello", "Accepted", "Valid")
    client.delete(FUNCTIONS, namespace, "hello", propagation=propagation)
    wait_for(lambda: gone(client, FUNCTIONS, namespace, "hello"), "the Function is gone", 30)
    wait_for(lambda: not left(client, namespace), "nothing is left", 30)


@pytest.mark.usefixtures("controlled")
def test_what_is_orphaned_stays_and_belongs_to_nobody(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    client.delete(FUNCTIONS, namespace, "hello", propagation="Orphan")
    wait_for(lambda: gone(client, FUNCTIONS, namespace, "hello"), "the Function is gone", 30)
    deployment = client.get(DEPLOYMENTS, namespace, "hello")
    assert not deployment["metadata"].get("ownerReferences")
    deploy()
    told = condition("hello", "Accepted", "Conflict")
    assert "exists already and does not belong to this Function" in told["message"]
    for resource in (DEPLOYMENTS, SERVICES, CONFIGMAPS):
        for item in client.list(resource, namespace, labels="function=hello")["items"]:
            client.delete(resource, namespace, item["metadata"]["name"])
    assert condition("hello", "Accepted", "Valid")


@pytest.mark.usefixtures("controlled")
def test_a_function_made_again_does_not_wait_for_the_collector(
    control_plane: ControlPlane,
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
) -> None:
    deploy(horizontalPodAutoscaler=AUTOSCALER)
    condition("hello", "Accepted", "Valid")
    before = {one: owner(client.get(one, namespace, "hello")) for one in (SERVICES, DEPLOYMENTS)}
    control_plane.manager.pause()
    try:
        client.delete(FUNCTIONS, namespace, "hello")
        uid = deploy(horizontalPodAutoscaler=AUTOSCALER)["metadata"]["uid"]
        condition("hello", "Accepted", "Valid")
        for resource, old in before.items():
            assert owner(client.get(resource, namespace, "hello")) == uid != old
        assert owner(client.get(AUTOSCALERS, namespace, "hello")) == uid
    finally:
        control_plane.manager.resume()
    # The collector, awake again, finds nothing of the dead one, and leaves what is of the living.
    sets = client.list(REPLICASETS, namespace)["items"]
    wait_for(
        lambda: (
            {owner(one) for one in client.list(REPLICASETS, namespace)["items"]}
            == {client.get(DEPLOYMENTS, namespace, "hello")["metadata"]["uid"]}
        ),
        f"the old ReplicaSets are gone ({len(sets)} were there)",
        60,
    )
    assert owner(client.get(SERVICES, namespace, "hello")) == uid


@pytest.mark.usefixtures("controlled")
def test_what_claims_to_be_of_another_function_is_not_deleted(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    other = deploy("other")
    condition("other", "Accepted", "Valid")
    reference = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Function",
        "name": "other",
        "uid": other["metadata"]["uid"],
    }
    service = {
        "metadata": {"name": "hello", "namespace": namespace, "ownerReferences": [reference]},
        "spec": {"ports": [{"port": 80}]},
    }
    uid = client.create(SERVICES, service)["metadata"]["uid"]
    deploy("hello")
    condition("hello", "Accepted", "Conflict")
    assert client.get(SERVICES, namespace, "hello")["metadata"]["uid"] == uid


def test_a_namespace_that_ends_takes_its_functions_along(
    client: Client, controller_process: Controller
) -> None:
    controller = controller_process
    controller.configure(watchNamespaces=[])
    controller.start()
    name = made(client)
    functions = [f"f{number}" for number in range(10)]
    for function in functions:
        client.create(FUNCTIONS, manifest(name, function))
    # Some are built, some are not yet.
    wait_for(lambda: client.list(DEPLOYMENTS, name)["items"], "the first is built")
    client.delete(NAMESPACES, None, name)
    wait_for(lambda: gone(client, NAMESPACES, None, name), "the namespace is gone", 60)
    assert controller.process is not None
    assert "Traceback" not in controller.process.log.read_text()
    assert controller.metric("controller_runtime_reconcile_errors_total") < 2 * len(functions)


@pytest.mark.usefixtures("controlled")
def test_a_function_that_fails_to_be_built_is_told_once(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(runtime="cobol85")
    for number in range(5):
        deploy(runtime="cobol85", env=[{"name": "N", "value": str(number)}])
        condition("hello", "Accepted", "UnknownRuntime")
    events = client.list(EVENTS, namespace, fields="involvedObject.kind=Function")["items"]
    assert [(one["reason"], one["count"]) for one in events] == [("UnknownRuntime", 1)]
