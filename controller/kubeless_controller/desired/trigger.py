"""The trigger of a function that says itself what calls it: its schedule or its topic."""

from __future__ import annotations

from typing import Any

from kubeless_api import names
from kubeless_api.function import Function
from kubeless_controller.desired.owned import labels, metadata, stamped

Object = dict[str, Any]


def build(function: Function) -> Object | None:
    """Build the CronJobTrigger or the KafkaTrigger; None when the Function asks for neither."""
    if function.schedule:
        return _trigger(
            function,
            names.CRONJOB_TRIGGER_KIND,
            {"function-name": function.name, "schedule": function.schedule},
        )
    if function.topic:
        selector = {"matchLabels": names.selector_labels(function.name)}
        return _trigger(
            function,
            names.KAFKA_TRIGGER_KIND,
            {"topic": function.topic, "functionSelector": selector},
        )
    return None


def _trigger(function: Function, kind: str, spec: Object) -> Object:
    return stamped(
        {
            "apiVersion": names.API_VERSION,
            "kind": kind,
            "metadata": metadata(function, function.name, labels(function)),
            "spec": spec,
        }
    )
