"""A label selector as one string, as kubectl and the original take it, and the object that it means; pure."""

from __future__ import annotations

import re
from typing import Any

from kubeless_api import label_selector
from kubeless_api.errors import SpecError
from kubeless_cli import names

Object = dict[str, Any]

EXPECTED = "expected labels such as function=hello or app=shop,tier in (front,back)"
_REQUIREMENT = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<gone>[^\s=!,()]+)"
    r"|(?P<key>[^\s=!,()]+)\s*(?:(?P<equal>==?|!=)\s*(?P<value>[^\s=!,()]*)"
    r"|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


def parse(text: str) -> Object:
    """`a=b,c!=d,e in (f,g),h,!i` as a LabelSelector. Raises ValueError with what can't be read."""
    labels: dict[str, str] = {}
    expressions: list[Object] = []
    position = 0
    while position < len(text):
        match = _REQUIREMENT.match(text, position)
        if match is None or match.end() == position:
            raise ValueError(f"'{text}' is no selector at '{text[position:]}': {EXPECTED}.")
        position = match.end()
        _add(match, labels, expressions)
    if not labels and not expressions:
        raise ValueError(f"'{text}' selects nothing: {EXPECTED}.")
    selector: Object = {}
    if labels:
        selector["matchLabels"] = labels
    if expressions:
        selector["matchExpressions"] = expressions
    return selector


def _add(match: re.Match[str], labels: dict[str, str], expressions: list[Object]) -> None:
    key = match["key"] or match["gone"]
    names.check_qualified(key, "a label")
    if match["absent"]:
        expressions.append({"key": key, "operator": "DoesNotExist"})
    elif match["set"]:
        values = [value.strip() for value in match["values"].split(",")]
        for value in values:
            names.check_label(key, value)
        operator = "In" if match["set"] == "in" else "NotIn"
        expressions.append({"key": key, "operator": operator, "values": values})
    elif not match["equal"]:
        expressions.append({"key": key, "operator": "Exists"})
    else:
        names.check_label(key, match["value"])
        if match["equal"] == "!=":
            expressions.append({"key": key, "operator": "NotIn", "values": [match["value"]]})
        elif labels.setdefault(key, match["value"]) != match["value"]:
            raise ValueError(
                f"'{key}' can't be both '{labels[key]}' and '{match['value']}': {EXPECTED}."
            )


def show(spec: Object) -> str:
    """The functionSelector of a KafkaTrigger's spec as one string; "" for none, or none that holds."""
    try:
        return str(label_selector.parse(spec, "functionSelector", "spec"))
    except SpecError:
        return ""
