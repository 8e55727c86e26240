"""The CronJobTrigger of a function that has a schedule itself."""

from __future__ import annotations

from typing import Any

from kubeless_api import names
from kubeless_api.function import Function
from kubeless_controller.desired.owned import labels, metadata, stamped

Object = dict[str, Any]


def build(function: Function) -> Object | None:
    """Build the CronJobTrigger; None when the Function has no schedule."""
    if not function.schedule:
        return None
    return stamped(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.CRONJOB_TRIGGER_KIND,
            "metadata": metadata(function, function.name, labels(function)),
            "spec": {"function-name": function.name, "schedule": function.schedule},
        }
    )
