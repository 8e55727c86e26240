"""The HorizontalPodAutoscaler of a function, as autoscaling/v2 has it.

Manifests written for the original have the forms of v2beta1, which no API
server serves any more; both forms are read, field by field of a metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api import fields, names
from kubeless_api.function import Function
from kubeless_controller.desired.owned import labels, metadata, stamped

Object = dict[str, Any]

_PATH = "spec.horizontalPodAutoscaler"
_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
# What takes the place of a target in v2beta1, and what it is called in v2.
_UTILIZATION = ("targetAverageUtilization", "Utilization", "averageUtilization")
_AVERAGE = ("targetAverageValue", "AverageValue", "averageValue")
_VALUE = ("targetValue", "Value", "value")


def build(function: Function) -> Object | None:
    """Build the autoscaler; None when the Function wants none. Raises SpecError."""
    given = function.autoscaler
    if not given:
        return None
    given_metadata = fields.mapping(given, "metadata", _PATH)
    spec = fields.mapping(given, "spec", _PATH)
    _check_target(function, fields.mapping(spec, "scaleTargetRef", f"{_PATH}.spec"))
    least = fields.number(spec, "minReplicas", f"{_PATH}.spec")
    most = fields.number(spec, "maxReplicas", f"{_PATH}.spec")
    if not most:
        raise fields.wrong(f"{_PATH}.spec.maxReplicas", most, "the most pods to run, 1 or more")
    if least is not None and least > most:
        raise fields.wrong(
            f"{_PATH}.spec.minReplicas", least, f"at most spec.maxReplicas, which is {most}"
        )
    own = metadata(
        function,
        fields.text(given_metadata, "name", f"{_PATH}.metadata"),
        {**fields.strings(given_metadata, "labels", f"{_PATH}.metadata"), **labels(function)},
        annotations=fields.strings(given_metadata, "annotations", f"{_PATH}.metadata"),
    )
    wanted: Object = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": function.name},
        "maxReplicas": most,
    }
    if least is not None:
        wanted["minReplicas"] = least
    metrics = [
        _metric(metric, f"{_PATH}.spec.metrics[{index}]")
        for index, metric in enumerate(fields.objects(spec, "metrics", f"{_PATH}.spec"))
    ]
    # autoscaling/v1 knows no other.
    percent = fields.number(spec, "targetCPUUtilizationPercentage", f"{_PATH}.spec")
    if percent:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        wanted["metrics"] = metrics
    behavior = fields.mapping(spec, "behavior", f"{_PATH}.spec")
    if behavior:
        wanted["behavior"] = behavior
    return stamped(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": own,
            "spec": wanted,
        }
    )


def first_replicas(autoscaler: Mapping[str, Any]) -> int:
    """The pods to begin with, until the autoscaler has looked for the first time."""
    least: int | None = autoscaler["spec"].get("minReplicas")
    return 1 if least is None else least


def _check_target(function: Function, target: Mapping[str, Any]) -> None:
    path = f"{_PATH}.spec.scaleTargetRef"
    if target.get("name") != function.name:
        raise fields.wrong(
            f"{path}.name", target.get("name"), f"{function.name!r}: a Function scales itself only"
        )
    kind = fields.text(target, "kind", path)
    if kind not in ("", "Deployment", names.FUNCTION_KIND):
        raise fields.wrong(f"{path}.kind", kind, "'Deployment'")


def _metric(metric: Mapping[str, Any], path: str) -> Object:
    """One metric in the form of v2."""
    kind = fields.text(metric, "type", path)
    name = _SOURCES.get(kind)
    if name is None:
        raise fields.wrong(f"{path}.type", kind or None, f"one of {', '.join(_SOURCES)}")
    source = fields.mapping(metric, name, path)
    if not source:
        raise fields.wrong(f"{path}.{name}", None, f"what a metric of type {kind} measures")
    return {"type": kind, name: _source(source, f"{path}.{name}")}


def _source(source: Mapping[str, Any], path: str) -> Object:
    old = {"metricName", "metricSelector", *(form[0] for form in (_UTILIZATION, _AVERAGE, _VALUE))}
    if not old & source.keys():
        return dict(source)
    result: Object = {}
    if "name" in source:  # a resource's
        result["name"] = source["name"]
    if "container" in source:
        result["container"] = source["container"]
    if "metricName" in source:
        result["metric"] = {"name": fields.text(source, "metricName", path)}
        selector = source.get("selector") or source.get("metricSelector")
        if selector:
            result["metric"]["selector"] = selector
    if "target" in source:  # the object that the metric is about
        result["describedObject"] = fields.mapping(source, "target", path)
    # In an object's metric of v2beta1, averageValue stands beside targetValue and comes before it.
    for field, kind, value in (_UTILIZATION, _AVERAGE, ("averageValue", *_AVERAGE[1:]), _VALUE):
        if source.get(field):
            result["target"] = {"type": kind, value: source[field]}
            return result
    raise fields.wrong(
        path, dict(source), "a target: targetAverageUtilization, targetAverageValue or targetValue"
    )
