"""A namespace as the original's controller left it: all of it is taken over, and can be deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SERVICES
from support.controller import Controller
from support.functions import manifest
from support.objects import exists
from support.waiting import wait_for
from support.world import difference, owner

Object = dict[str, Any]
Condition = Callable[..., Object]

MANAGER = "kubeless-controller-manager"
CHILDREN = (SERVICES, DEPLOYMENTS, CONFIGMAPS, AUTOSCALERS)


def left_behind(client: Client, namespace: str, name: str) -> Object:
    """Make a Function and its children as the original did; returns the Function."""
    function = manifest(
        namespace,
        name,
        labels={"created-by": "kubeless", "function": name},
        runtime="python3.7",
        checksum="",
        deps="",
        timeout="",
        horizontalPodAutoscaler={
            "metadata": {"name": name, "creationTimestamp": None},
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1beta1",
                    "kind": "Deployment",
                    "name": name,
                },
                "minReplicas": 1,
                "maxReplicas": 3,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "targetAverageUtilization": 70},
                    }
                ],
            },
            "status": {"currentReplicas": 0, "desiredReplicas": 0},
        },
    )
    function["metadata"]["finalizers"] = ["kubeless.io/function"]
    made = client.create(FUNCTIONS, function, manager="kubeless")
    labels = {"created-by": "kubeless", "function": name}
    metadata = {
        "name": name,
        "namespace": namespace,
        "labels": labels,
        "ownerReferences": [
            {
                "apiVersion": "kubeless.io/v1beta1",
                "kind": "Function",
                "name": name,
                "uid": made["metadata"]["uid"],
            }
        ],
    }
    data = {
        "handler": "hello.handler",
        "hello.py": made["spec"]["function"],
        "requirements.txt": "",
    }
    client.create(CONFIGMAPS, {"metadata": metadata, "data": data}, manager=MANAGER)
    ports = [{"name": "http-function-port", "port": 8080, "targetPort": 8080}]
    client.create(
        SERVICES,
        {"metadata": metadata, "spec": {"selector": labels, "ports": ports}},
        manager=MANAGER,
    )
    pod = {
        "initContainers": [{"name": "prepare", "image": "kubeless/unzip@sha256:0"}],
        "containers": [{"name": name, "image": "kubeless/python@sha256:0"}],
        "volumes": [
            {"name": name, "emptyDir": {}},
            {"name": f"{name}-deps", "configMap": {"name": name}},
        ],
    }
    client.create(
        DEPLOYMENTS,
        {
            "metadata": metadata,
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        manager=MANAGER,
    )
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    client.create(
        AUTOSCALERS,
        {
            # Without labels: the original's had none.
            "metadata": {key: value for key, value in metadata.items() if key != "labels"},
            "spec": {"scaleTargetRef": target, "maxReplicas": 3},
        },
        manager=MANAGER,
    )
    return made


def test_everything_is_taken_over_and_goes_with_its_function(
    client: Client, namespace: str, condition: Condition, controller_process: Controller
) -> None:
    names = ["first", "second"]
    for name in names:
        left_behind(client, namespace, name)
    services = {name: client.get(SERVICES, namespace, name)["spec"]["clusterIP"] for name in names}
    controller_process.start()
    for name in names:
        told = condition(name, "Accepted", "Valid")
        assert "runtime python3.7 is run by python3.13" in told["message"]
        for resource in (SERVICES, DEPLOYMENTS, AUTOSCALERS):
            child = client.get(resource, namespace, name)
            assert owner(child), f"{resource.kind} has a controller"
            assert child["metadata"]["labels"]["created-by"] == "kubeless"
        assert client.get(SERVICES, namespace, name)["spec"]["clusterIP"] == services[name]
        assert client.get(DEPLOYMENTS, namespace, name)["spec"]["replicas"] == 2
        assert not client.get(FUNCTIONS, namespace, name)["metadata"].get("finalizers")

    # Without nodes the old pods never go, and the old source with them: its ReplicaSet keeps it.
    assert exists(client, CONFIGMAPS, namespace, "first")
    assert controller_process.process is not None
    assert "Conflict" not in controller_process.process.log.read_text()
    wait_for(lambda: not difference(client, namespace), "the world is what the specs say")

    for name in names:
        client.delete(FUNCTIONS, namespace, name)
        wait_for(
            lambda name=name: (
                not any(
                    exists(client, resource, namespace, name) for resource in (FUNCTIONS, *CHILDREN)
                )
            ),
            "all is gone",
            60,
        )


def test_children_of_the_original_are_taken_over(
    client: Client,
    namespace: str,
    deploy: Callable[..., Object],
    condition: Condition,
    controller_process: Controller,
) -> None:
    made = deploy(replicas=3)
    owner = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Function",
        "name": "hello",
        "uid": made["metadata"]["uid"],
    }
    labels = {"created-by": "kubeless", "function": "hello"}
    metadata = {
        "name": "hello",
        "namespace": namespace,
        "labels": labels,
        "ownerReferences": [owner],
    }
    old = {
        "name": "hello",
        "image": "kubeless/python@sha256:0",
        "env": [{"name": "OLD", "value": "1"}],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "initialDelaySeconds": 3},
    }
    pod = {
        "initContainers": [{"name": "prepare", "image": "kubeless/unzip@sha256:0"}],
        "containers": [old],
        "volumes": [{"name": "hello", "emptyDir": {}}],
    }
    client.create(
        DEPLOYMENTS,
        {
            "metadata": metadata,
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        manager="kubeless-controller-manager",
    )
    ports = [{"name": "http-function-port", "port": 8080, "targetPort": 8080}]
    client.create(SERVICES, {"metadata": metadata, "spec": {"selector": labels, "ports": ports}})
    controller_process.start()
    assert condition("hello", "Accepted", "Valid")
    deployment = client.get(DEPLOYMENTS, namespace, "hello")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["metadata"]["ownerReferences"][0]["controller"] is True
    spec = deployment["spec"]["template"]["spec"]
    assert "initContainers" not in spec
    assert {volume["name"] for volume in spec["volumes"]} == {"source", "tmp"}
    (container,) = spec["containers"]
    assert "OLD" not in {entry["name"] for entry in container["env"]}
    assert "httpGet" not in container["livenessProbe"]
