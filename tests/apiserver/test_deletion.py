"""A Function's end, however it comes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import (
    AUTOSCALERS,
    CONFIGMAPS,
    DEPLOYMENTS,
    EVENTS,
    NAMESPACES,
    REPLICASETS,
    SERVICES,
    Resource,
)
from support.controller import Controller
from support.functions import manifest
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
CHILDREN = (CONFIGMAPS, DEPLOYMENTS, SERVICES, AUTOSCALERS, REPLICASETS)
AUTOSCALER = {
    "metadata": {"name": "hello"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "hello"}, "maxReplicas": 2},
}


def gone(client: Client, resource: Resource, namespace: str | None, name: str) -> bool:
    try:
        client.get(resource, namespace, name)
    except NotFound:
        return True
    return False


def left(client: Client, namespace: str) -> list[str]:
    return [
        f"{resource.kind} {item['metadata']['name']}"
        for resource in CHILDREN
        for item in client.list(resource, namespace, labels="created-by=kubeless")["items"]
    ]


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_nothing_is_left(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, propagation: Any
) -> None:
    deploy(horizontalPodAutoscaler=AUTOSCALER)
    condition("hello", "Accepted", "Valid")
    client.delete(FUNCTIONS, namespace, "hello", propagation=propagation)
    wait_for(lambda: gone(client, FUNCTIONS, namespace, "hello"), "the Function is gone", 30)
    wait_for(lambda: not left(client, namespace), "nothing is left", 30)


@pytest.mark.usefixtures("controller")
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


def test_a_namespace_that_ends_takes_its_functions_along(
    client: Client, controller: Controller
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name}})
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


@pytest.mark.usefixtures("controller")
def test_a_function_that_fails_to_be_built_is_told_once(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(runtime="cobol85")
    for number in range(5):
        deploy(runtime="cobol85", env=[{"name": "N", "value": str(number)}])
        condition("hello", "Accepted", "UnknownRuntime")
    events = client.list(EVENTS, namespace, fields="involvedObject.kind=Function")["items"]
    assert [(one["reason"], one["count"]) for one in events] == [("UnknownRuntime", 1)]
