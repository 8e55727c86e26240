"""Fields of an object as flags set them: None leaves a field alone, an empty value takes it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def put(place: Object, key: str, value: Any) -> None:
    """Set, take away or leave one field."""
    if value is None:
        return
    if value in ("", [], {}):
        place.pop(key, None)
    else:
        place[key] = value


def add_labels(metadata: Object, given: Mapping[str, str] | None, own: Mapping[str, str]) -> None:
    """Add labels to those that are there; none given takes away all but our `own`."""
    _add(metadata, "labels", given, own.items())


def add_annotations(metadata: Object, given: Mapping[str, str] | None) -> None:
    """Add annotations to those that are there; none given takes away all but kubectl's own."""
    present = metadata.get("annotations") or {}
    _add(metadata, "annotations", given, [(LAST_APPLIED, present.get(LAST_APPLIED))])


def _add(metadata: Object, key: str, given: Mapping[str, str] | None, stays: Any) -> None:
    if given is None:
        return
    present = dict(metadata.get(key) or {})
    if not given:
        present = {name: value for name, value in present.items() if (name, value) in stays}
    metadata[key] = present | dict(given)
