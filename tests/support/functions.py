"""Functions as tests write them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def manifest(
    namespace: str, name: str = "hello", *, labels: dict[str, str] | None = None, **spec: Any
) -> Object:
    """A Function that works, with the fields that the test is about."""
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Function",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {
            "runtime": "python3.13",
            "handler": "hello.handler",
            "function": "def handler(event, context):\n    return 'hello'\n",
            **spec,
        },
    }
