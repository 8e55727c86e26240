"""A function's autoscaler: from the forms that users write to the one that the API server takes."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.function import parse
from kubeless_api.runtimes import Runtime, RuntimeTable
from kubeless_controller.desired.children import Children, build, clash
from kubeless_controller.observed.autoscaling import autoscaled
from kubeless_controller.settings import Settings

Object = dict[str, Any]
SETTINGS = Settings(runtimes=RuntimeTable([Runtime("python3.13", "i", ".py")]))
QPS = {"type": "Object", "object": {"metric": {"name": "function_calls"}}}


def function(**spec: Any) -> Any:
    base = {"runtime": "python3.13", "handler": "hello.handler", "function": "x = 1\n"}
    metadata = {"namespace": "default", "name": "hello", "uid": "1"}
    return parse({"metadata": metadata, "spec": {**base, **spec}})


def given(**spec: Any) -> Object:
    base = {"scaleTargetRef": {"kind": "Deployment", "name": "hello"}, "maxReplicas": 3}
    return {"metadata": {"name": "hello"}, "spec": {**base, **spec}}


def children(**spec: Any) -> Children:
    return build(function(horizontalPodAutoscaler=given(**spec)), SETTINGS)


def metrics(*metric: Object) -> list[Object]:
    made = children(metrics=list(metric)).autoscaler
    assert made is not None
    found: list[Object] = made["spec"]["metrics"]
    return found


def test_the_manifest_of_the_originals_command_line() -> None:
    made = children(
        scaleTargetRef={"apiVersion": "apps/v1beta1", "kind": "Deployment", "name": "hello"},
        minReplicas=2,
        metrics=[{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}],
    ).autoscaler
    assert made is not None
    assert made["apiVersion"] == "autoscaling/v2"
    assert made["metadata"]["labels"] == {"created-by": "kubeless", "function": "hello"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "1"
    target = {"type": "Utilization", "averageUtilization": 70}
    assert made["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "hello"},
        "minReplicas": 2,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "64Mi"}},
            {
                "type": "Resource",
                "resource": {
                    "name": "memory",
                    "target": {"type": "AverageValue", "averageValue": "64Mi"},
                },
            },
        ),
        (
            {
                "type": "Object",
                "object": {
                    "metricName": "function_calls",
                    "target": {
                        "apiVersion": "autoscaling/v2beta1",
                        "kind": "Service",
                        "name": "hello",
                    },
                    "targetValue": "10",
                },
            },
            {
                "type": "Object",
                "object": {
                    "metric": {"name": "function_calls"},
                    "describedObject": {
                        "apiVersion": "autoscaling/v2beta1",
                        "kind": "Service",
                        "name": "hello",
                    },
                    "target": {"type": "Value", "value": "10"},
                },
            },
        ),
        (
            {
                "type": "Pods",
                "pods": {
                    "metricName": "queue",
                    "targetAverageValue": "5",
                    "selector": {"matchLabels": {"a": "b"}},
                },
            },
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "queue", "selector": {"matchLabels": {"a": "b"}}},
                    "target": {"type": "AverageValue", "averageValue": "5"},
                },
            },
        ),
        (
            {
                "type": "External",
                "external": {
                    "metricName": "lag",
                    "metricSelector": {"matchLabels": {"topic": "t"}},
                    "targetValue": "100",
                },
            },
            {
                "type": "External",
                "external": {
                    "metric": {"name": "lag", "selector": {"matchLabels": {"topic": "t"}}},
                    "target": {"type": "Value", "value": "100"},
                },
            },
        ),
    ],
    ids=["resource", "object", "pods", "external"],
)
def test_metrics_of_the_original_become_those_of_v2(old: Object, new: Object) -> None:
    assert metrics(old) == [new]
    assert metrics(new) == [new]


def test_the_only_metric_of_v1() -> None:
    made = children(targetCPUUtilizationPercentage=80).autoscaler
    assert made is not None
    target = {"type": "Utilization", "averageUtilization": 80}
    assert made["spec"]["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    ]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"maxReplicas": 0}, "maxReplicas: found 0, expected the most pods to run, 1 or more"),
        ({"maxReplicas": "many"}, "maxReplicas: found 'many', expected a whole number"),
        ({"minReplicas": 9}, "minReplicas: found 9, expected at most spec.maxReplicas, which is 3"),
        (
            {"scaleTargetRef": {"name": "other"}},
            "scaleTargetRef.name: found 'other', expected 'hello'",
        ),
        (
            {"scaleTargetRef": {"kind": "StatefulSet", "name": "hello"}},
            "scaleTargetRef.kind: found 'StatefulSet', expected 'Deployment'",
        ),
        (
            {"metrics": [{"type": "Guess"}]},
            "metrics[0].type: found 'Guess', expected one of Resource",
        ),
        ({"metrics": [{"type": "Pods"}]}, "metrics[0].pods: found nothing, expected what a metric"),
        (
            {"metrics": [{"type": "Pods", "pods": {"metricName": "x"}}]},
            "metrics[0].pods: found {'metricName': 'x'}, expected a target",
        ),
    ],
)
def test_what_cannot_be_an_autoscaler_is_said(spec: Object, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        children(**spec)
    assert f"spec.horizontalPodAutoscaler.spec.{said}" in caught.value.message


def test_the_autoscaler_comes_before_all_other_wishes() -> None:
    wanted = {"horizontalPodAutoscaler": given(minReplicas=2), "replicas": 5}
    explicit = {"deployment": {"spec": {"replicas": 7}}}
    made = build(function(**wanted, **explicit), SETTINGS)
    assert (made.wish, made.replicas) == ("autoscaler", 2)
    assert clash(function(**wanted, **explicit)) == (
        "spec.horizontalPodAutoscaler comes before spec.deployment.spec.replicas (7) and spec.replicas (5)"
    )
    assert clash(function(horizontalPodAutoscaler=given())) == ""
    made = build(function(replicas=5, **explicit), SETTINGS)
    assert (made.wish, made.replicas) == ("7", 7)
    assert clash(function(replicas=5, **explicit)) == (
        "spec.deployment.spec.replicas (7) comes before spec.replicas (5)"
    )
    assert clash(function(replicas=7, **explicit)) == ""
    assert clash(function(**explicit)) == ""
    assert build(function(replicas=5), SETTINGS).wish == "5"


def live(*conditions: tuple[str, str, str, str], metrics: list[Object] | None = None) -> Object:
    keys = ("type", "status", "reason", "message")
    return {
        "spec": {"metrics": metrics or []},
        "status": {"conditions": [dict(zip(keys, values, strict=True)) for values in conditions]},
    }


ABLE = ("AbleToScale", "True", "ReadyForNewScale", "ready")


@pytest.mark.parametrize(
    ("autoscaler", "ok", "reason", "said"),
    [
        (None, False, "Progressing", "has not looked yet"),
        (live(), False, "Progressing", "has not looked yet"),
        (live(("AbleToScale", "False", "FailedGetScale", "no")), False, "UnableToScale", "no"),
        (live(ABLE), True, "Scaling", "ready"),
        (
            live(ABLE, ("ScalingActive", "True", "ValidMetricFound", "found")),
            True,
            "Scaling",
            "found",
        ),
        (
            live(ABLE, ("ScalingActive", "False", "ScalingDisabled", "off")),
            False,
            "ScaledToZero",
            "off",
        ),
        (
            live(ABLE, ("ScalingActive", "False", "FailedGetObjectMetric", "none"), metrics=[QPS]),
            False,
            "MetricsUnavailable",
            "none; its metrics come from custom.metrics.k8s.io, which an adapter such as prometheus-adapter serves",
        ),
        (
            live(ABLE, ("ScalingActive", "False", "FailedGetResourceMetric", "none")),
            False,
            "MetricsUnavailable",
            "metrics.k8s.io, which metrics-server serves",
        ),
    ],
)
def test_whether_it_works(autoscaler: Object | None, ok: bool, reason: str, said: str) -> None:
    verdict = autoscaled(autoscaler)
    assert (verdict.ok, verdict.reason) == (ok, reason)
    assert said in verdict.message
