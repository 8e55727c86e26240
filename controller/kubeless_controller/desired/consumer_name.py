"""What a KafkaTrigger's Deployment and ConfigMap are called, and the label of its pods."""

from __future__ import annotations

from kubeless_api import names
from kubeless_controller.desired.owned import digest

_SUFFIX = "-kafka"
_HASH_LENGTH = 10


def name_of(trigger: str) -> str:
    """The name of what a trigger owns: a name that is too long is cut and gets a hash."""
    return f"{_short(trigger)}{_SUFFIX}"


def selector_labels(trigger: str) -> dict[str, str]:
    """The label by which a trigger's pods are found; unique in its namespace."""
    return {names.LABEL_KAFKA_TRIGGER: _short(trigger)}


def _short(trigger: str) -> str:
    longest = names.MAX_NAME_LENGTH - len(_SUFFIX)
    if len(trigger) <= longest:
        return trigger
    room = longest - 1 - _HASH_LENGTH
    return f"{trigger[:room].rstrip('-.')}-{digest(trigger)}"
