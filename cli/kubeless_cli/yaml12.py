"""YAML by the rules of version 1.2's core schema, whose values are those of JSON.

PyYAML by itself reads version 1.1: `no` would be false, `12:30:00` a number and a date no text.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

from kubeless_cli.payload import PayloadError, number, whole_number

_NAMES = "tag:yaml.org,2002:"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    # Its own, or it would add to those of every other loader.
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}


def parse_yaml(text: str) -> Any:
    """The value of one YAML document. Raises PayloadError with the position of what is wrong."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it makes nothing but JSON values
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise PayloadError(f"not YAML: {error.problem or error.context}{where}.") from None
    except yaml.YAMLError as error:
        raise PayloadError(f"not YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise PayloadError("it is nested too deeply.") from None


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key == "<<" and not key_node.style:  # not in quotes
            raise _wrong(key_node, "YAML 1.2 has no merge keys: write out what << stands for")
        if not isinstance(key, str):
            raise _wrong(key_node, "the keys of JSON are texts: write this one with quotes")
        if key in found:
            raise _wrong(key_node, f"the key '{key}' is given twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _integer(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    return whole_number(str(int(text, 0)) if text[:2] in ("0o", "0x") else text.lstrip("+"))


def _decimal(loader: Any, node: Any) -> float:
    text = loader.construct_scalar(node)
    if text.strip("+-.").lower() in ("inf", "nan"):
        raise _wrong(node, f"{text} is not JSON; write null, or a text with quotes")
    return number(text)


def _unknown(loader: Any, node: Any) -> None:
    raise _wrong(node, f"{node.tag.replace(_NAMES, '!!')} has no form in JSON")


def _wrong(node: Any, problem: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _name, _pattern, _first in (
    ("null", r"|~|null|Null|NULL", ["", "~", "n", "N"]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(_NAMES + _name, re.compile(f"(?:{_pattern})$"), _first)

for _tag, _make in (
    ("null", lambda loader, node: None),
    ("bool", lambda loader, node: loader.construct_scalar(node).lower() == "true"),
    ("int", _integer),
    ("float", _decimal),
    ("str", lambda loader, node: loader.construct_scalar(node)),
    ("seq", lambda loader, node: loader.construct_sequence(node, deep=True)),
    ("map", _mapping),
):
    _Loader.add_constructor(_NAMES + _tag, _make)
_Loader.add_constructor(None, _unknown)
