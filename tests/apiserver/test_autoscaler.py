"""Autoscalers, with the cluster's own controller at work on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS, DEPLOYMENTS
from support.autoscalers import autoscale
from support.objects import gone
from support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("controlled")

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]


def autoscaler(name: str = "hello", **spec: Any) -> Object:
    """As the original's command line writes it."""
    target = {"apiVersion": "apps/v1beta1", "kind": "Deployment", "name": "hello"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}
    base = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 4, "metrics": [cpu]}
    return {"metadata": {"name": name}, "spec": {**base, **spec}}


def replicas(client: Client, namespace: str) -> int:
    count: int = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["replicas"]
    return count


def test_an_autoscaler_comes_scales_and_goes(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(horizontalPodAutoscaler=autoscaler(), replicas=5)
    accepted = condition("hello", "Accepted", "Valid")
    assert "spec.horizontalPodAutoscaler comes before spec.replicas (5)" in accepted["message"]
    assert replicas(client, namespace) == 2
    # Too few pods need no metric: the cluster's own controller raises them.
    deploy(horizontalPodAutoscaler=autoscaler(minReplicas=3), replicas=5)
    wait_for(lambda: replicas(client, namespace) == 3, "the autoscaler scales")
    deploy(horizontalPodAutoscaler=autoscaler(minReplicas=3), replicas=6)
    condition("hello", "Accepted", "Valid")
    assert replicas(client, namespace) == 3, "the Function's own replicas wait"
    deploy(replicas=1)
    wait_for(lambda: gone(client, AUTOSCALERS, namespace, "hello"), "the autoscaler is gone")
    wait_for(lambda: replicas(client, namespace) == 1, "the Function's own replicas count again")


def test_missing_metrics_are_said_with_who_serves_them(
    deploy: Deploy, condition: Condition
) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "name": "hello"}
    qps = {"metricName": "function_calls", "target": service, "targetValue": "10"}
    deploy(horizontalPodAutoscaler=autoscaler(metrics=[{"type": "Object", "object": qps}]))
    told = condition("hello", "Autoscaled", "MetricsUnavailable")
    assert "function_calls" in told["message"]
    assert "custom.metrics.k8s.io, which an adapter such as prometheus-adapter" in told["message"]
    deploy()
    wait_for(
        lambda: _has_no_condition(deploy, "Autoscaled"),
        "without an autoscaler nothing is said of one",
    )


def _has_no_condition(deploy: Deploy, kind: str) -> bool:
    status = deploy().get("status") or {}
    return kind not in {entry["type"] for entry in status.get("conditions", [])}


def test_an_autoscaler_of_another_name_replaces_the_first(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(horizontalPodAutoscaler=autoscaler())
    condition("hello", "Accepted", "Valid")
    deploy(horizontalPodAutoscaler=autoscaler("other"))
    wait_for(lambda: gone(client, AUTOSCALERS, namespace, "hello"), "the first is gone")
    wait_for(lambda: not gone(client, AUTOSCALERS, namespace, "other"), "the other is there")


def test_an_autoscaler_that_is_not_ours_is_never_touched(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "elsewhere"}
    theirs = {"metadata": {"name": "hello", "namespace": namespace}}
    client.create(AUTOSCALERS, {**theirs, "spec": {"scaleTargetRef": target, "maxReplicas": 9}})
    deploy(horizontalPodAutoscaler=autoscaler())
    told = condition("hello", "Accepted", "Conflict")
    assert "a HorizontalPodAutoscaler named 'hello' exists already" in told["message"]
    assert client.get(AUTOSCALERS, namespace, "hello")["spec"]["maxReplicas"] == 9


def test_an_edited_autoscaler_is_repaired(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(horizontalPodAutoscaler=autoscaler())
    condition("hello", "Accepted", "Valid")
    client.patch(AUTOSCALERS, namespace, "hello", {"spec": {"maxReplicas": 99}})
    wait_for(
        lambda: client.get(AUTOSCALERS, namespace, "hello")["spec"]["maxReplicas"] == 4,
        "the edit is undone",
    )


def test_an_autoscaler_of_ones_own_on_the_function(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    autoscale(client, namespace, "Function", "hello", least=3, most=4)
    wait_for(
        lambda: replicas(client, namespace) == 3, "the Deployment follows the Function's scale"
    )
    assert client.get(FUNCTIONS, namespace, "hello")["spec"]["replicas"] == 3
