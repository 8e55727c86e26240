"""Somebody else who writes at the worst moment."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_kube.client import Client

Object = dict[str, Any]


def interfere(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let somebody else write right before each of the first patches."""
    patch, writes = Client.patch, 0

    def beaten(
        self: Client, resource: Any, namespace: str, name: str, *args: Any, **more: Any
    ) -> Object:
        nonlocal writes
        if writes < times:
            writes += 1
            note = {"metadata": {"annotations": {"write": str(writes)}}}
            patch(self, resource, namespace, name, note, manager="somebody")
        return patch(self, resource, namespace, name, *args, **more)

    monkeypatch.setattr(Client, "patch", beaten)
