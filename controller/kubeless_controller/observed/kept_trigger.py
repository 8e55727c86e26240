"""Whether a function's own schedule or topic calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api import conditions
from kubeless_controller.observed.verdict import Verdict

Object = Mapping[str, Any]


def triggered(trigger: Object) -> Verdict:
    """What the trigger's Ready condition says, once it speaks of what it is now."""
    generation = trigger["metadata"].get("generation", 0)
    for condition in (trigger.get("status") or {}).get("conditions") or []:
        if condition["type"] == conditions.READY and condition["observedGeneration"] == generation:
            return Verdict(condition["status"] == "True", condition["reason"], condition["message"])
    return Verdict(False, conditions.PROGRESSING, f"the {trigger['kind']} is being made")
