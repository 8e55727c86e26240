"""Label selectors, as Kubernetes has them: ``matchLabels`` and ``matchExpressions``, all of which must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api import fields

IN = "In"
NOT_IN = "NotIn"
EXISTS = "Exists"
DOES_NOT_EXIST = "DoesNotExist"
OPERATORS = (IN, NOT_IN, EXISTS, DOES_NOT_EXIST)


@dataclass(frozen=True)
class Requirement:
    """One thing that must hold: ``values`` is empty for Exists and DoesNotExist."""

    key: str
    operator: str
    values: frozenset[str]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels fulfil it; a label that is not there is in no set."""
        if self.operator == EXISTS:
            return self.key in labels
        if self.operator == DOES_NOT_EXIST:
            return self.key not in labels
        found = labels.get(self.key) in self.values
        return found if self.operator == IN else not found

    def __str__(self) -> str:
        if self.operator == EXISTS:
            return self.key
        if self.operator == DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator == IN and len(self.values) == 1:
            return f"{self.key}={min(self.values)}"
        word = "in" if self.operator == IN else "notin"
        return f"{self.key} {word} ({','.join(sorted(self.values))})"


@dataclass(frozen=True)
class Selector:
    """Requirements that all must hold; one without any selects everything."""

    requirements: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether it selects what has these labels."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def only_value(self, key: str) -> str:
        """The one value that this label must have; '' when it may have several."""
        for requirement in self.requirements:
            if (
                requirement.key == key
                and requirement.operator == IN
                and len(requirement.values) == 1
            ):
                return min(requirement.values)
        return ""

    def __str__(self) -> str:
        """As ``kubectl get -l`` takes it."""
        return ",".join(str(requirement) for requirement in self.requirements)


def parse(parent: Mapping[str, Any], key: str, path: str) -> Selector:
    """Read the selector at ``path.key``. Raises SpecError."""
    where = f"{path}.{key}"
    found = fields.mapping(parent, key, path)
    requirements = [
        Requirement(label, IN, frozenset([value]))
        for label, value in fields.strings(found, "matchLabels", where).items()
    ]
    for index, entry in enumerate(fields.objects(found, "matchExpressions", where)):
        requirements.append(_requirement(entry, f"{where}.matchExpressions[{index}]"))
    return Selector(tuple(requirements))


def _requirement(entry: Mapping[str, Any], path: str) -> Requirement:
    label, operator = fields.text(entry, "key", path), fields.text(entry, "operator", path)
    if not label:
        raise fields.wrong(f"{path}.key", None, "the name of a label")
    if operator not in OPERATORS:
        raise fields.wrong(f"{path}.operator", operator or None, f"one of {', '.join(OPERATORS)}")
    values = fields.items(entry, "values", path)
    if not all(isinstance(value, str) for value in values):
        raise fields.wrong(f"{path}.values", values, "a list of strings")
    if operator in (IN, NOT_IN) and not values:
        raise fields.wrong(f"{path}.values", None, f"one value or more for {operator}")
    if operator not in (IN, NOT_IN) and values:
        raise fields.wrong(f"{path}.values", values, f"none for {operator}")
    return Requirement(label, operator, frozenset(values))
