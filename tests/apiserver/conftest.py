"""A control plane for all tests of this folder, a namespace for each test, a controller where one is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.errors import Invalid
from kubeless_kube.resources import CONFIGMAPS, NAMESPACES, Resource
from support.control_plane import RARE_COLLECTIONS, ControlPlane
from support.controller import Controller, ForkedController, only_in
from support.functions import manifest
from support.kafka_consumers import Consumer, kafka_manifest
from support.namespaces import WATCHED, emptied, made
from support.objects import exists
from support.triggers import trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]


# The shared controller works in these only, and each test that wants it has one of them to itself; what other tests
# make, it does not see. Several, so that what a test left is dealt with before its namespace is used again.
LENT = tuple(f"shared-{number}" for number in range(4))


@pytest.fixture(scope="package")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"), environment=RARE_COLLECTIONS)
    try:
        plane.start()
        plane.install()
        plane.start_manager()
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="package")
def client(control_plane: ControlPlane) -> Client:
    """Cluster admin."""
    return control_plane.client()


@pytest.fixture(scope="package")
def to_lend(client: Client) -> deque[str]:
    """The namespaces in which the shared controller works and no test does, the longest unused first."""
    for name in LENT:
        client.create(NAMESPACES, {"metadata": {"name": name}})
    return deque(LENT)


@pytest.fixture
def namespace(client: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that the test has to itself; the shared controller works in it when the test is ``controlled``.

    In a file whose tests all are, one may still ask for a controller of its own.
    """
    if "controlled" in request.fixturenames and "controller_process" not in request.fixturenames:
        to_lend = request.getfixturevalue("to_lend")
        name = to_lend.popleft()
        wait_for(lambda: emptied(client, name), f"{name} is empty")
        yield name
        emptied(client, name)
        to_lend.append(name)
    else:
        name = made(client)
        yield name
        emptied(client, name, WATCHED)


@pytest.fixture(scope="package")
def shared_controller(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controller]:
    """The controller of all tests that only need one to be there."""
    folder = tmp_path_factory.mktemp("shared-controller")
    controller = Controller(control_plane.kubeconfig, folder, watchNamespaces=LENT)
    controller.start()
    yield controller
    controller.end()


@pytest.fixture
def controlled(shared_controller: Controller) -> Controller:
    """The shared controller works in the test's namespace."""
    return shared_controller


@pytest.fixture
def controller_process(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> Iterator[Controller]:
    """A controller that the test starts, kills and starts again as it likes; it works in the test's namespace."""
    controller = ForkedController(control_plane.kubeconfig, tmp_path, **only_in(namespace))
    yield controller
    controller.kill()


@pytest.fixture
def controller(controller_process: Controller) -> Controller:
    """A controller that runs."""
    controller_process.start()
    return controller_process


@pytest.fixture
def deploy(client: Client, namespace: str) -> Callable[..., Object]:
    """Make or change a Function of the test's namespace: ``deploy(name, **spec)``."""

    def deploy_function(
        name: str = "hello", *, labels: dict[str, str] | None = None, **spec: Any
    ) -> Object:
        return client.apply(
            FUNCTIONS, manifest(namespace, name, labels=labels, **spec), manager="user"
        )

    return deploy_function


@pytest.fixture
def refused(client: Client, namespace: str) -> Callable[..., str]:
    """The API server's message when it refuses a Function; fails when it does not."""

    def message_for(name: str = "hello", **spec: Any) -> str:
        with pytest.raises(Invalid) as caught:
            client.create(FUNCTIONS, manifest(namespace, name, **spec))
        return caught.value.message

    return message_for


@pytest.fixture
def condition(client: Client, namespace: str) -> Callable[..., Object]:
    """Wait until a condition speaks of the current generation and, if given, has this reason."""

    return lambda name, kind, reason="": _condition(
        client, FUNCTIONS, namespace, name, kind, reason
    )


@pytest.fixture
def schedule(client: Client, namespace: str) -> Callable[..., Object]:
    """Make or change a CronJobTrigger of the test's namespace: ``schedule(name, function=..., **spec)``."""

    def schedule_function(name: str = "tick", **spec: Any) -> Object:
        return client.apply(
            CRONJOB_TRIGGERS, trigger_manifest(namespace, name, **spec), manager="user"
        )

    return schedule_function


@pytest.fixture
def trigger_condition(client: Client, namespace: str) -> Callable[..., Object]:
    """As ``condition``, of a CronJobTrigger."""
    return lambda name, kind, reason="": _condition(
        client, CRONJOB_TRIGGERS, namespace, name, kind, reason
    )


@pytest.fixture
def subscribe(client: Client, namespace: str) -> Callable[..., Object]:
    """Make or change a KafkaTrigger of the test's namespace: ``subscribe(name, **spec)``."""

    def subscribe_functions(name: str = "orders", **spec: Any) -> Object:
        return client.apply(KAFKA_TRIGGERS, kafka_manifest(namespace, name, **spec), manager="user")

    return subscribe_functions


@pytest.fixture
def kafka_condition(client: Client, namespace: str) -> Callable[..., Object]:
    """As ``condition``, of a KafkaTrigger."""
    return lambda name, kind, reason="": _condition(
        client, KAFKA_TRIGGERS, namespace, name, kind, reason
    )


@pytest.fixture
def consumer(client: Client, namespace: str) -> Iterator[Callable[..., Consumer]]:
    """A pod of a trigger that runs and says that it reads everything: ``consumer(trigger, **answer)``."""
    made: list[Consumer] = []

    def consume(trigger: str = "orders", **answer: Any) -> Consumer:
        wait_for(
            lambda: exists(client, CONFIGMAPS, namespace, f"{trigger}-kafka"),
            "the trigger's configuration",
        )
        one = Consumer(client, namespace, trigger)
        made.append(one)
        one.follow(**answer)
        one.run()
        return one

    yield consume
    for one in made:
        one.stop()


def _condition(
    client: Client, resource: Resource, namespace: str, name: str, kind: str, reason: str
) -> Object:
    last: Object = {}

    def look() -> Object | None:
        obj = client.get(resource, namespace, name)
        last.update(obj.get("status") or {})
        for entry in last.get("conditions", []):
            if (
                entry["type"] == kind
                and entry["observedGeneration"] == obj["metadata"]["generation"]
                and reason in ("", entry["reason"])
            ):
                found: Object = entry
                return found
        return None

    try:
        return wait_for(look, f"{kind} of {name} {reason}".strip())
    except AssertionError as error:
        raise AssertionError(f"{error}: {last}") from None
