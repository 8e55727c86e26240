"""The way to the API server breaks in every manner; the controller goes on, and never in a hot loop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import SERVICES
from support.control_plane import ControlPlane
from support.controller import Controller, ForkedController, only_in
from support.objects import exists
from support.relay import Relay
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

# Those of kinds that the cluster serves.
INFORMERS = 19
# After pauses of 0.1, 0.2, 0.4 and 0.8 s, each up to a half shorter by chance.
ATTEMPTS = 4


@pytest.fixture
def relay(control_plane: ControlPlane) -> Iterator[Relay]:
    made = Relay(control_plane.port)
    yield made
    made.close()


@pytest.fixture
def controller(
    control_plane: ControlPlane, relay: Relay, namespace: str, tmp_path: Path
) -> Iterator[Controller]:
    """A controller whose only way to the API server is the relay."""
    config = json.loads(control_plane.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{relay.port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    made = ForkedController(kubeconfig, tmp_path, **only_in(namespace))
    made.start()
    yield made
    made.kill()


@pytest.mark.usefixtures("controller")
def test_connections_that_are_reset_again_and_again(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, relay: Relay
) -> None:
    for number in range(10):
        before = relay.connections
        relay.reset()
        deploy(f"f{number}")
        wait_for(lambda before=before: relay.connections > before, "the controller connects again")
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
    began = time.monotonic()
    wait_for(
        lambda: relay.connections - before >= INFORMERS * ATTEMPTS, "each informer tries again"
    )
    # Their pauses add up to 0.75 s at least; in a hot loop they take no time.
    assert time.monotonic() - began > 0.5
    deploy("meanwhile")
    relay.refusing = False
    condition("meanwhile", "Accepted", "Valid")
    assert controller.process is not None
    assert controller.process.running()


@pytest.mark.usefixtures("controller")
def test_a_watch_that_stalls_and_goes_on(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, relay: Relay
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    relay.stalled = True
    for number in range(20):
        generation = deploy(env=[{"name": "N", "value": str(number)}])["metadata"]["generation"]
    seen = client.get(FUNCTIONS, namespace, "hello")["status"]["conditions"]
    assert generation not in {entry["observedGeneration"] for entry in seen}
    relay.stalled = False
    condition("hello", "Accepted", "Valid")
    deploy("other")
    condition("other", "Accepted", "Valid")
