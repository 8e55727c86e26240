"""The way to the API server breaks in every manner; the controller goes on, and never in a hot loop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import SERVICES
from support.control_plane import ControlPlane
from support.controller import Controller
from support.objects import exists
from support.relay import Relay
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

INFORMERS = 7


@pytest.fixture
def relay(control_plane: ControlPlane) -> Iterator[Relay]:
    made = Relay(control_plane.port)
    yield made
    made.close()


@pytest.fixture
def controller(
    control_plane: ControlPlane, relay: Relay, tmp_path: Path, alone: None
) -> Iterator[Controller]:
    """A controller whose only way to the API server is the relay."""
    config = json.loads(control_plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    made = Controller(kubeconfig, tmp_path)
    made.start()
    yield made
    made.end()


@pytest.mark.usefixtures("controller")
def test_connections_that_are_reset_again_and_again(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, relay: Relay
) -> None:
    for number in range(10):
        relay.reset()
        deploy(f"f{number}")
        time.sleep(0.1)
    for number in range(10):
        condition(f"f{number}", "Accepted", "Valid")
    client.delete(SERVICES, namespace, "f3")
    wait_for(
        lambda: exists(client, SERVICES, namespace, "f3"), "drift is seen over the new watches"
    )


def test_a_server_that_is_away_is_not_asked_in_a_hot_loop(
    deploy: Deploy, condition: Condition, relay: Relay, controller: Controller
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    relay.refusing = True
    relay.reset()
    before = relay.connections
    time.sleep(5)
    # Each informer tries about five times in five seconds, each time twice; the lease once a second.
    assert relay.connections - before < INFORMERS * 20
    deploy("meanwhile")
    relay.refusing = False
    condition("meanwhile", "Accepted", "Valid")
    assert controller.process is not None
    assert controller.process.running()


@pytest.mark.usefixtures("controller")
def test_a_watch_that_stalls_and_goes_on(
    deploy: Deploy, condition: Condition, relay: Relay
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    relay.stalled = True
    for number in range(20):
        deploy(env=[{"name": "N", "value": str(number)}])
    time.sleep(3)
    relay.stalled = False
    condition("hello", "Accepted", "Valid")
    deploy("other")
    condition("other", "Accepted", "Valid")
