"""The autoscaler of a Function, spec.horizontalPodAutoscaler: pure.

Written as autoscaling/v2. Read as whatever stands there: the field has no schema, and the original's
command line wrote v2beta1, with every zero value where there is no autoscaler.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from kubeless_cli.quantity import check_quantity

Object = dict[str, Any]

FIELD = "horizontalPodAutoscaler"
API_VERSION = "autoscaling/v2"
METRICS = ("cpu", "qps")
# What `qps` stands for: the metric that an adapter makes of the runtimes' counter of calls.
CALLS = "function_calls"


def check_value(metric: str, value: str) -> None:
    """Raise ValueError unless `value` can be the target of that metric."""
    if metric == "qps":
        check_quantity(value, "10")
    elif not re.fullmatch(r"0*[1-9]\d{0,5}%?", value):
        raise ValueError(
            f"'{value}' is not a share of CPU: expected whole percent of what the function "
            "requests, such as 70."
        )


def build(name: str, least: int, most: int, metric: str, value: str) -> Object:
    """The autoscaler of the function `name`: `least` to `most` pods, by a checked metric's value."""
    return {
        "apiVersion": API_VERSION,
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [_cpu(value) if metric == "cpu" else _calls(name, value)],
        },
    }


def _cpu(value: str) -> Object:
    target = {"type": "Utilization", "averageUtilization": int(value.removesuffix("%"))}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _calls(name: str, value: str) -> Object:
    service = {"apiVersion": "v1", "kind": "Service", "name": name}
    return {
        "type": "Object",
        "object": {
            "metric": {"name": CALLS},
            "describedObject": service,
            "target": {"type": "Value", "value": value},
        },
    }


def put(function: Object, autoscaler: Object) -> Object:
    """A copy of `function` with that autoscaler in the place of any other.

    How fast it scales (`behavior`) has no flag: what somebody wrote there stays.
    """
    autoscaler = copy.deepcopy(autoscaler)
    behavior = _dig(given(function), "spec").get("behavior")
    if behavior:
        autoscaler["spec"]["behavior"] = behavior
    function = copy.deepcopy(function)
    function.setdefault("spec", {})[FIELD] = autoscaler
    return function


def take_out(function: Object) -> Object:
    """A copy of `function` without an autoscaler."""
    function = copy.deepcopy(function)
    function.get("spec", {}).pop(FIELD, None)
    return function


def given(function: Object) -> Object:
    """What stands in the field, zero values and all; {} for nothing."""
    return _dig(function, "spec", FIELD)


def wanted(function: Object) -> Object:
    """The autoscaler of a Function; {} when it has none: without a name and a target it is none."""
    autoscaler = given(function)
    target = _dig(autoscaler, "spec", "scaleTargetRef")
    return autoscaler if name_of(autoscaler) and target.get("name") else {}


def name_of(autoscaler: Object) -> str:
    return str(_dig(autoscaler, "metadata").get("name") or "")


def target_of(autoscaler: Object) -> str:
    """The name of what it scales."""
    return str(_dig(autoscaler, "spec", "scaleTargetRef").get("name") or "")


def bounds(autoscaler: Object) -> tuple[str, str]:
    """The least and the most pods, as the tables show them."""
    spec = _dig(autoscaler, "spec")
    least = spec.get("minReplicas")
    return str(1 if least is None else least), str(spec.get("maxReplicas") or "")


def metrics(autoscaler: Object) -> list[tuple[str, str]]:
    """Names and targets of its metrics, in whatever version of autoscaling they are written."""
    written = _dig(autoscaler, "spec").get("metrics")
    if not isinstance(written, list):
        return []
    return [_metric(metric) for metric in written if isinstance(metric, dict)]


def _metric(metric: Object) -> tuple[str, str]:
    kind = str(metric.get("type") or "")
    source = _dig(metric, kind[:1].lower() + kind[1:])
    name = source.get("name") or source.get("metricName") or _dig(source, "metric").get("name")
    # In v2beta1 the targets are fields of the source; an object's `target` is what it describes.
    places = (_dig(source, "target"), source)
    keys = (
        *("averageUtilization", "averageValue", "value"),
        *("targetAverageUtilization", "targetAverageValue", "targetValue"),
    )
    values = [place[key] for place in places for key in keys if place.get(key)]
    return str(name or kind), str(values[0]) if values else ""


def summary(autoscaler: Object) -> str:
    """`1 to 5 pods by cpu 70`."""
    least, most = bounds(autoscaler)
    by = ", ".join(f"{name} {value}".rstrip() for name, value in metrics(autoscaler))
    return f"{least} to {most} pods" + (f" by {by}" if by else "")


def _dig(place: Object, *keys: str) -> Object:
    """The object at a path; {} where there is none, or something else."""
    for key in keys:
        below = place.get(key)
        place = below if isinstance(below, dict) else {}
    return place
