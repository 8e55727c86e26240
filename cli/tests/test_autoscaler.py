"""The autoscaler that a Function asks for: written, read in every version, and shown."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from kubeless_cli import autoscaler
from kubeless_cli.app import root
from kubeless_cli.commands.autoscale_create import requests_cpu
from kubeless_cli.commands.autoscale_list import document, row
from kubeless_cli.commands.describe import page

Object = dict[str, Any]

# What the original's command line wrote of a function without an autoscaler ...
ZERO = {
    "metadata": {"creationTimestamp": None},
    "spec": {"maxReplicas": 0, "scaleTargetRef": {"kind": "", "name": ""}},
    "status": {"conditions": None, "currentMetrics": None, "currentReplicas": 0},
}


def legacy(*metrics: Object) -> Object:
    """... and of one with."""
    return {
        "apiVersion": "autoscaling/v2beta1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hello", "creationTimestamp": None},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "hello"},
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": list(metrics),
        },
        "status": ZERO["status"],
    }


LEGACY_CPU = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}
LEGACY_QPS = {
    "type": "Object",
    "object": {
        "target": {"kind": "Service", "name": "hello"},
        "metricName": "function_calls",
        "targetValue": "10",
    },
}


def function(asked: Any = None, *conditions: Object, **spec: Any) -> Object:
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Function",
        "metadata": {"name": "hello", "namespace": "apps", "generation": 2, "uid": "u"},
        "spec": {"handler": "a.b", **({autoscaler.FIELD: asked} if asked else {}), **spec},
        "status": {"observedGeneration": 2, "conditions": list(conditions)},
    }


def condition(kind: str, status: str, reason: str = "R") -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": "why"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, ["autoscale", *arguments])


@pytest.mark.parametrize("value", ["70", "70%", "070"])
def test_cpu_is_a_share_of_what_pods_request(value: str) -> None:
    autoscaler.check_value("cpu", value)
    assert autoscaler.build("hello", 1, 5, "cpu", value) == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hello"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "hello"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 70},
                    },
                }
            ],
        },
    }


@pytest.mark.parametrize("value", ["10", "500m", "1k", "2.5"])
def test_qps_is_a_metric_of_the_functions_service(value: str) -> None:
    autoscaler.check_value("qps", value)
    (metric,) = autoscaler.build("hello", 1, 5, "qps", value)["spec"]["metrics"]
    assert metric == {
        "type": "Object",
        "object": {
            "metric": {"name": "function_calls"},
            "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "hello"},
            "target": {"type": "Value", "value": value},
        },
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hello"], ["--value"]),
        (["Hello", "--value", "70"], ["'Hello' is not a function name"]),
        (["hello", "--value", ""], ["--value: '' is not a share", "such as 70"]),
        (["hello", "--value", "much"], ["--value: 'much' is not a share", "such as 70"]),
        (["hello", "--value", "70.5"], ["'70.5'", "whole percent"]),
        (["hello", "--value", "0"], ["'0'", "such as 70"]),
        (["hello", "--value=-5"], ["'-5'", "such as 70"]),
        (["hello", "--value", "99999999999"], ["'99999999999'"]),
        (["hello", "--metric", "qps", "--value", "much"], ["--value: 'much'", "such as 10"]),
        (["hello", "--metric", "qps", "--value", "0"], ["'0' is nothing"]),
        (["hello", "--metric", "qps", "--value", "10%"], ["'10%'", "such as 10"]),
        (["hello", "--metric", "memory", "--value", "70"], ["'memory'", "'cpu'", "'qps'"]),
        (["hello", "--value", "70", "--min", "2"], ["--min 2 is more than --max 1"]),
        (["hello", "--value", "70", "--min", "3", "--max", "2"], ["--min 3", "--max 2"]),
        (["hello", "--value", "70", "--max", "0"], ["--max", "0 is not in the range"]),
        (["hello", "--value", "70", "--min", "0"], ["--min", "0 is not in the range"]),
        (["hello", "--value", "70", "--max", "2147483648"], ["--max", "not in the range"]),
        (["hello", "--value", "70", "--max", "five"], ["--max", "'five'"]),
        (["hello", "--value", "70", "-o", "xml"], ["'xml'"]),
    ],
)
def test_a_wrong_flag_is_wrong_usage(arguments: list[str], words: list[str]) -> None:
    done = run("create", *arguments)
    assert done.exit_code == 2
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        (None, False),
        ({}, False),
        ("nonsense", False),
        (ZERO, False),
        ({"metadata": "x", "spec": []}, False),
        ({"metadata": {"name": "hello"}, "spec": {"scaleTargetRef": {}}}, False),
        ({"spec": {"scaleTargetRef": {"name": "hello"}}}, False),
        (legacy(), True),
        (autoscaler.build("hello", 1, 2, "cpu", "70"), True),
    ],
)
def test_there_is_one_only_with_a_name_and_a_target(asked: Any, there: bool) -> None:
    assert bool(autoscaler.wanted(function(asked))) is there


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        (LEGACY_CPU, ("cpu", "70")),
        (LEGACY_QPS, ("function_calls", "10")),
        ({"type": "Pods", "pods": {"metricName": "m", "targetAverageValue": "1k"}}, ("m", "1k")),
        (autoscaler.build("h", 1, 1, "cpu", "70%")["spec"]["metrics"][0], ("cpu", "70")),
        (autoscaler.build("h", 1, 1, "qps", "10")["spec"]["metrics"][0], ("function_calls", "10")),
        (
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "memory",
                    "container": "c",
                    "target": {"type": "AverageValue", "averageValue": "64Mi"},
                },
            },
            ("memory", "64Mi"),
        ),
        ({"type": "Resource"}, ("Resource", "")),
        ({"type": "Resource", "resource": "x"}, ("Resource", "")),
        ({}, ("", "")),
    ],
)
def test_metrics_are_read_in_every_version(metric: Object, shown: tuple[str, str]) -> None:
    assert autoscaler.metrics(legacy(metric)) == [shown]


def test_one_takes_the_place_of_another_but_how_fast_it_scales_stays() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 5}}
    old = legacy(LEGACY_QPS)
    old["spec"]["behavior"] = behavior
    before = function(old)
    new = autoscaler.build("hello", 1, 5, "cpu", "70")
    after = autoscaler.put(before, new)
    assert after["spec"][autoscaler.FIELD] == new | {"spec": {**new["spec"], "behavior": behavior}}
    assert before["spec"][autoscaler.FIELD] == old, "the given object is left as it is"
    assert "behavior" not in new["spec"]
    assert autoscaler.put(after, new) == after


def test_taking_it_out_leaves_the_rest() -> None:
    before = function(legacy(LEGACY_CPU))
    assert autoscaler.take_out(before) == function()


def test_a_row_has_the_originals_columns_and_how_it_is_doing() -> None:
    live = {"status": {"currentReplicas": 2, "desiredReplicas": 3}}
    shown = row(function(legacy(LEGACY_CPU, LEGACY_QPS), condition("Autoscaled", "True")), live)
    metrics = ["cpu\nfunction_calls", "70\n10"]
    assert shown == ["hello", "apps", "hello", "2", "4", *metrics, "2", "3", ""]
    assert row(function(legacy()), {"status": {}})[5:9] == ["", "", "0", "0"]
    assert row(function(legacy()), None)[7:9] == ["", ""]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([], "the controller has not looked at it yet"),
        ([condition("Accepted", "True")], "the controller has not looked at it yet"),
        ([condition("Accepted", "False", "Conflict")], "Conflict: why"),
        (
            [condition("Accepted", "True"), condition("Autoscaled", "False", "NoMetrics")],
            "NoMetrics: why",
        ),
        ([condition("Accepted", "True"), condition("Autoscaled", "True")], ""),
    ],
)
def test_a_row_says_what_keeps_it_from_scaling(conditions: list[Object], message: str) -> None:
    assert row(function(legacy(LEGACY_CPU), *conditions), None)[-1] == message


def test_a_document_is_the_live_object_or_what_is_asked_for() -> None:
    asked = autoscaler.build("hello", 1, 2, "cpu", "70")
    found = document(function(asked), None)
    assert found == asked | {"metadata": {"name": "hello", "namespace": "apps"}}
    live = {"metadata": {"name": "hello", "managedFields": []}, "spec": {"maxReplicas": 9}}
    assert document(function(asked), live) == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "hello"},
        "spec": {"maxReplicas": 9},
    }


def test_bounds_that_are_not_given_are_those_of_kubernetes() -> None:
    assert autoscaler.bounds({"spec": {"maxReplicas": 4}}) == ("1", "4")
    assert autoscaler.bounds({"spec": {"minReplicas": 0, "maxReplicas": 4}}) == ("0", "4")
    assert autoscaler.bounds({"spec": "x"}) == ("1", "")


def test_describe_says_how_it_scales() -> None:
    assert "Autoscaler: 2 to 4 pods by cpu 70" in " ".join(
        page(function(legacy(LEGACY_CPU))).split()
    )
    assert "Autoscaler" not in page(function(ZERO))


@pytest.mark.parametrize(
    ("spec", "requests"),
    [
        ({}, False),
        ({"resources": {"requests": {"memory": "1Mi", "cpu": "0"}}}, False),
        ({"resources": {"requests": {"cpu": "100m"}}}, True),
        ({"resources": {"limits": {"cpu": 1}}}, True),
    ],
)
def test_a_function_that_requests_no_cpu_has_no_share_of_it(spec: Object, requests: bool) -> None:
    assert requests_cpu(function(**spec)) is requests
