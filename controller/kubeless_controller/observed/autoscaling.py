"""Whether a function's autoscaler works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api import conditions
from kubeless_controller.observed.verdict import Verdict

Object = Mapping[str, Any]

# Who serves what an autoscaler asks for, by the type of its metric.
_ADAPTERS = {
    "Resource": "metrics.k8s.io, which metrics-server serves",
    "ContainerResource": "metrics.k8s.io, which metrics-server serves",
    "Pods": "custom.metrics.k8s.io, which an adapter such as prometheus-adapter serves",
    "Object": "custom.metrics.k8s.io, which an adapter such as prometheus-adapter serves",
    "External": "external.metrics.k8s.io, which an adapter such as KEDA serves",
}


def autoscaled(autoscaler: Object | None) -> Verdict:
    """Say whether the autoscaler scales, and what keeps it from it."""
    told = {} if autoscaler is None else _conditions(autoscaler)
    able, active = told.get("AbleToScale"), told.get("ScalingActive")
    if autoscaler is None or able is None:
        return Verdict(False, conditions.PROGRESSING, "the autoscaler has not looked yet")
    if able["status"] != "True":
        return Verdict(False, conditions.UNABLE_TO_SCALE, able.get("message", ""))
    if active is None:
        return Verdict(True, conditions.SCALING, able.get("message", ""))
    if active["status"] == "True":
        return Verdict(True, conditions.SCALING, active.get("message", ""))
    if active.get("reason") == "ScalingDisabled":
        return Verdict(False, conditions.SCALED_TO_ZERO, active.get("message", ""))
    needed = dict.fromkeys(
        _ADAPTERS[metric["type"]]
        for metric in autoscaler["spec"].get("metrics") or [{"type": "Resource"}]
        if metric.get("type") in _ADAPTERS
    )
    return Verdict(
        False,
        conditions.METRICS_UNAVAILABLE,
        f"{active.get('message', '')}; its metrics come from {' and '.join(needed)}",
    )


def _conditions(autoscaler: Object) -> dict[str, Object]:
    status = autoscaler.get("status") or {}
    return {condition["type"]: condition for condition in status.get("conditions") or []}
