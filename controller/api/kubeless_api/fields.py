"""Reading fields out of untyped objects.

Manifests written for the original carry every zero value (empty strings,
nulls, empty objects); all of them mean that the field is not set. A value of
the wrong type is a SpecError that names the field, never a Python error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api.conditions import INVALID_SPEC
from kubeless_api.errors import SpecError

_WORDS = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a number",
    bool: "true or false",
}


def wrong(path: str, found: Any, expected: str) -> SpecError:
    """The error for a field whose value cannot be used; long values are cut."""
    shown = "nothing" if found is None else repr(found)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return SpecError(INVALID_SPEC, f"{path}: found {shown}, expected {expected}")


def text(parent: Mapping[str, Any], key: str, path: str) -> str:
    """A string field; '' when it is not set."""
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(f"{path}.{key}", value, _WORDS[str])
    return value


def number(parent: Mapping[str, Any], key: str, path: str) -> int | None:
    """A whole number that is not negative; None when it is not set."""
    value = parent.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong(f"{path}.{key}", value, "a whole number of 0 or more")
    return value


def flag(parent: Mapping[str, Any], key: str, path: str) -> bool:
    """True or false; False when it is not set."""
    value = parent.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong(f"{path}.{key}", value, _WORDS[bool])
    return value


def mapping(parent: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    """An object field; {} when it is not set."""
    value = parent.get(key)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise wrong(f"{path}.{key}", value, _WORDS[dict])
    return value


def strings(parent: Mapping[str, Any], key: str, path: str) -> dict[str, str]:
    """An object field whose values are strings, like labels; {} when it is not set."""
    value = mapping(parent, key, path)
    for name, item in value.items():
        if not isinstance(item, str):
            raise wrong(f"{path}.{key}[{name}]", item, _WORDS[str])
    return value


def items(parent: Mapping[str, Any], key: str, path: str) -> list[Any]:
    """A list field; [] when it is not set."""
    value = parent.get(key)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise wrong(f"{path}.{key}", value, _WORDS[list])
    return value


def objects(parent: Mapping[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """A list field whose items are objects; [] when it is not set."""
    value = items(parent, key, path)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise wrong(f"{path}.{key}[{index}]", item, _WORDS[dict])
    return value


def without_unset(value: Any) -> Any:
    """A copy without nulls and empty strings, at any depth.

    Empty objects stay: ``emptyDir: {}`` means something.
    """
    if isinstance(value, dict):
        return {
            key: without_unset(item)
            for key, item in value.items()
            if item is not None and item != ""
        }
    if isinstance(value, list):
        return [without_unset(item) for item in value if item is not None]
    return value
