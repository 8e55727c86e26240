"""A controller that works in some namespaces only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS
from support.controller import Controller
from support.functions import manifest
from support.namespaces import WATCHED, emptied, made
from support.objects import exists
from support.waiting import wait_for

Object = dict[str, Any]


@pytest.fixture
def other(client: Client) -> Iterator[str]:
    """A second namespace."""
    name = made(client)
    yield name
    emptied(client, name, WATCHED)


def test_only_the_named_namespaces_are_worked_in(
    client: Client,
    namespace: str,
    other: str,
    deploy: Callable[..., Object],
    condition: Callable[..., Object],
    controller_process: Controller,
) -> None:
    left_alone = made(client)
    try:
        controller_process.configure(watchNamespaces=[namespace, other])
        controller_process.start()
        client.create(FUNCTIONS, manifest(left_alone))
        client.create(FUNCTIONS, manifest(other))
        deploy()
        condition("hello", "Accepted", "Valid")
        wait_for(
            lambda: (client.get(FUNCTIONS, other, "hello").get("status") or {}).get("url"),
            "the Function of the other namespace is built",
        )
        client.delete(DEPLOYMENTS, other, "hello")
        wait_for(lambda: exists(client, DEPLOYMENTS, other, "hello"), "drift is repaired there too")
        assert "status" not in client.get(FUNCTIONS, left_alone, "hello")
    finally:
        emptied(client, left_alone, WATCHED)
