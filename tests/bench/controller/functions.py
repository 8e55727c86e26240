"""The Functions of the measurement."""

from __future__ import annotations

from typing import Any

from support.functions import manifest

Object = dict[str, Any]


def name_of(number: int) -> str:
    """The name of one of many."""
    return f"f{number:05}"


def function(namespace: str, number: int) -> Object:
    """A Function as people have them: some environment, resources, a source of its own."""
    return manifest(
        namespace,
        name_of(number),
        function=f"def handler(event, context):\n    return {number}\n",
        env=[{"name": "NUMBER", "value": str(number)}],
        resources={"limits": {"memory": "128Mi"}},
    )
