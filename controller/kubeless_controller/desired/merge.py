"""Laying a user's objects over ours.

Server-side apply knows lists as maps by key and refuses two entries with one
key, so lists are merged by those same keys here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubeless_api.fields import wrong

Object = dict[str, Any]

# Lists inside containers and pods that are maps by these keys.
CONTAINER_LISTS = {
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
}
_DEFAULTS = {"protocol": "TCP"}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Object:
    """A new object with the fields of both; objects merge, everything else of ``over`` replaces."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            result[key] = merged(known, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def merged_list(
    base: Iterable[Object], over: Iterable[Object], keys: Sequence[str], path: str = ""
) -> list[Object]:
    """Both lists as one; an entry of ``over`` replaces the one of ``base`` with the same key.

    Raises SpecError for an entry of ``over``, which stands at ``path``, whose key is no plain value.
    """
    result: dict[tuple[Any, ...], Object] = {}
    for entry in base:
        result[tuple(entry.get(key, _DEFAULTS.get(key)) for key in keys)] = entry
    for index, entry in enumerate(over):
        values = tuple(entry.get(key, _DEFAULTS.get(key)) for key in keys)
        for key, value in zip(keys, values, strict=True):
            if not isinstance(value, str | int):
                raise wrong(f"{path}[{index}].{key}", value, "a name or a number")
        result[values] = entry
    return list(result.values())


def merged_container(base: Object, over: Mapping[str, Any], path: str) -> Object:
    """A container with another, which stands at ``path``, laid over it; the name stays that of ``base``."""
    rest = {key: value for key, value in over.items() if key not in CONTAINER_LISTS}
    result = merged(base, rest)
    # Probes and security contexts are given as a whole: a field of ours left in one would change its meaning.
    for whole in (
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "securityContext",
        "lifecycle",
    ):
        if whole in rest:
            result[whole] = copy.deepcopy(rest[whole])
    for field, keys in CONTAINER_LISTS.items():
        if base.get(field) or over.get(field):
            result[field] = merged_list(
                base.get(field, []), over.get(field, []), keys, f"{path}.{field}"
            )
    result["name"] = base["name"]
    return result
