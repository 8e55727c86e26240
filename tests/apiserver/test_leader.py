"""Several controllers: one works, another takes over, and they never fight."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import Fenced
from kubeless_kube.lease import Lease, Terms
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, LEASES, SERVICES
from support.clock import Clock
from support.control_plane import ControlPlane
from support.controller import HASTY, PATIENT, Controller, ForkedController, only_in
from support.functions import manifest
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
Start = Callable[..., Controller]


@pytest.fixture
def start(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Start]:
    """Start a controller, the leader or not, in the test's namespace: ``start(name, terms, **options)``."""
    started: list[Controller] = []

    def launch(name: str, terms: Object = PATIENT, **options: Any) -> Controller:
        options = {**only_in(namespace, terms), **options}
        controller = ForkedController(control_plane.kubeconfig, tmp_path, name, **options)
        started.append(controller)
        controller.launch()
        return controller

    yield launch
    for controller in started:
        controller.kill()


def test_sigterm_hands_over_at_once(deploy: Deploy, condition: Condition, start: Start) -> None:
    first = start("first")
    wait_for(first.is_working, "the first works")
    second = start("second")
    assert not second.is_working()
    assert first.metric("leader_election_master_status") == 1
    assert second.metric("leader_election_master_status") == 0
    deploy()
    condition("hello", "Accepted", "Valid")
    assert second.writes() == 0
    assert first.process is not None
    began = time.monotonic()
    assert first.process.stop() == 0
    wait_for(second.is_working, "the second works", 10)
    assert time.monotonic() - began < 10, "the lease was given back, not waited for"
    deploy("other")
    condition("other", "Accepted", "Valid")


def test_a_leader_that_is_killed_is_replaced_when_its_lease_ends(
    deploy: Deploy, condition: Condition, start: Start
) -> None:
    first = start("first", HASTY)
    wait_for(first.is_working, "the first works")
    second = start("second", HASTY)
    assert first.process is not None
    first.process.kill()
    deploy()
    condition("hello", "Accepted", "Valid")
    assert second.is_working()


def test_one_that_is_killed_and_started_again_in_its_pod_need_not_wait(
    deploy: Deploy, condition: Condition, start: Start
) -> None:
    only = start("only")
    wait_for(only.is_working, "it works")
    assert only.process is not None
    only.process.kill()
    began = time.monotonic()
    only.start()
    assert time.monotonic() - began < PATIENT["durationSeconds"] / 2
    deploy()
    condition("hello", "Accepted", "Valid")


def test_a_deposed_leader_writes_nothing_and_ends(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, start: Start
) -> None:
    first = start("first", HASTY)
    wait_for(first.is_working, "the first works")
    second = start("second", HASTY)
    deploy()
    condition("hello", "Accepted", "Valid")
    assert first.process is not None
    first.process.pause()
    before = len(first.process.log.read_text())
    wait_for(second.is_working, "the second works")
    # Enough for the first to do, were it still the leader when it wakes up.
    for number in range(10):
        deploy(f"f{number}")
    for number in range(10):
        condition(f"f{number}", "Accepted", "Valid")
    wait_for(second.settled, "the second has nothing to do")
    versions = children(client, namespace)
    first.process.resume()
    assert first.process.wait(20) == 1
    said = first.process.log.read_text()[before:]
    assert "lost the lease" in said
    assert "created" not in said
    assert "applied" not in said
    assert children(client, namespace) == versions


def test_two_controllers_at_once_never_fight(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, start: Start
) -> None:
    both = [
        start(name, leaderElection={"enabled": False}, workers=4) for name in ("first", "second")
    ]
    for round_ in range(3):
        for number in range(10):
            deploy(f"f{number}", env=[{"name": "ROUND", "value": str(round_)}], replicas=round_)
        for number in range(10):
            condition(f"f{number}", "Accepted", "Valid")
    wait_for(lambda: all(one.settled() for one in both), "both have nothing to do", 30)
    versions = children(client, namespace)
    writes = [one.writes() for one in both]
    # What others do to one child brings both up, and what they find needs no write.
    client.patch(
        SERVICES, namespace, "f0", {"metadata": {"annotations": {"note": "mine"}}}, manager="me"
    )
    wait_for(lambda: all(one.settled() for one in both), "both have nothing to do", 30)
    assert [one.writes() for one in both] == writes
    after = children(client, namespace)
    changed = {key for key in after if after[key] != versions[key]}
    assert changed == {("Service", "f0")}


def children(client: Client, namespace: str) -> dict[tuple[str, str], str]:
    """The versions of all children's metadata and specs, without what other controllers write."""
    found = {}
    for resource in (CONFIGMAPS, DEPLOYMENTS, SERVICES):
        for item in client.list(resource, namespace, labels="created-by=kubeless")["items"]:
            metadata = item["metadata"]
            version = str(metadata.get("generation") or metadata["resourceVersion"])
            found[resource.kind, metadata["name"]] = version
    return found


@pytest.fixture
def candidate(client: Client, namespace: str) -> Iterator[Callable[..., Lease]]:
    """A candidate for the test's own lease: ``candidate(identity, clock)``."""
    made: list[Lease] = []

    def make(identity: str, clock: Callable[[], float] = time.monotonic, **terms: float) -> Lease:
        lease = Lease(client, namespace, "test", identity, Terms(**terms), clock)
        made.append(lease)
        return lease

    yield make
    for lease in made:
        lease.release()


def test_a_lease_is_taken_only_when_it_has_not_changed_for_its_duration(
    client: Client, namespace: str, candidate: Callable[..., Lease]
) -> None:
    def renewed() -> str:
        found: str = client.get(LEASES, namespace, "test")["spec"]["renewTime"]
        return found

    stop, clock = threading.Event(), Clock()
    first = candidate("first", duration=30, deadline=20, period=0.05)
    assert first.acquire(stop)
    assert first.held()
    second = candidate("second", clock, duration=30, deadline=20, period=0.05)
    assert not second._attempt()
    # A renewal that is seen counts from when it is seen.
    for _ in range(5):
        clock.now += 29
        wait_for(lambda: not second._attempt(), "another's lease")
        before = renewed()
        wait_for(lambda before=before: renewed() != before, "the first renews it")
    first._ended.set()
    first._renewer.join()
    assert not second._attempt()
    clock.now += 29
    assert not second._attempt()
    clock.now += 2
    assert second._attempt()


def test_a_holder_that_slept_past_its_deadline_never_holds_again(
    candidate: Callable[..., Lease],
) -> None:
    clock = Clock()
    lease = candidate("first", clock, duration=30, deadline=20, period=0.05)
    assert lease.acquire(threading.Event())
    assert lease.held()
    clock.now += 21
    assert not lease.held()
    wait_for(lease.lost.is_set, "the loss is noticed")
    assert not lease.held()


def test_a_lease_that_is_given_back_is_free(
    client: Client, namespace: str, candidate: Callable[..., Lease]
) -> None:
    first = candidate("first", duration=300, deadline=200, period=0.05)
    assert first.acquire(threading.Event())
    first.release()
    assert not first.held()
    assert "holderIdentity" not in client.get(LEASES, namespace, "test")["spec"]
    second = candidate("second", duration=300, deadline=200, period=0.05)
    assert second.acquire(threading.Event())
    spec = client.get(LEASES, namespace, "test")["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("second", 1)


def test_a_fenced_client_reads_and_sends_no_write(
    control_plane: ControlPlane, namespace: str
) -> None:
    sent: list[str] = []
    fenced = Client.from_kubeconfig(
        str(control_plane.kubeconfig),
        fence=lambda: False,
        on_request=lambda method, _: sent.append(method),
    )
    assert fenced.list(FUNCTIONS, namespace)["items"] == []
    with pytest.raises(Fenced):
        fenced.create(FUNCTIONS, manifest(namespace))
    assert sent == ["GET"]
