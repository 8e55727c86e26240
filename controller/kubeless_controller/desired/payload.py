"""The ConfigMap that carries a trigger's payload to the pods that call.

It is immutable and named by its content: a pod that starts late, or again,
sends what its Job was made for. A file, since a payload may have anything in
it that a command line or an environment would read in a way of its own.
"""

from __future__ import annotations

import json
from typing import Any

from kubeless_api import names
from kubeless_api.conditions import INVALID_SPEC
from kubeless_api.cronjob_trigger import CronJobTrigger
from kubeless_api.errors import SpecError
from kubeless_controller.desired.owned import digest, metadata

Object = dict[str, Any]

FILE = "payload.json"
# The API server takes 1 MiB of data in a ConfigMap.
MAX_BYTES = 1024 * 1024 - 1024
# With what follows it, a trigger's name must fit into the 253 characters of a ConfigMap's.
_NAME_LENGTH = 230


def build(trigger: CronJobTrigger) -> Object | None:
    """Build the ConfigMap; None when there is no payload. Raises SpecError."""
    if trigger.payload is None:
        return None
    text = json.dumps(trigger.payload, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size > MAX_BYTES:
        raise SpecError(
            INVALID_SPEC,
            f"spec.payload: it has {size} bytes as JSON; at most {MAX_BYTES} fit into a ConfigMap: put it where the "
            "function can read it, and send the address",
        )
    name = f"{trigger.name[:_NAME_LENGTH].rstrip('-.')}-{digest([trigger.name, text])}"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(
            trigger,
            name,
            {names.LABEL_CREATED_BY: names.CREATED_BY, names.LABEL_TRIGGER: names.CRONJOB_TRIGGER},
        ),
        "immutable": True,
        "data": {FILE: text},
    }
