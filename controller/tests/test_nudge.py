"""Telling the kubelet that a pod's configuration is another: at once, again, and not too often."""

from __future__ import annotations

from typing import Any

from kubeless_api import names
from kubeless_controller.observed.consumer_report import Report, Trouble
from kubeless_controller.observed.consuming import Seen
from kubeless_controller.reconcile.nudge import Nudge
from kubeless_kube.errors import ApiError, Conflict

Object = dict[str, Any]


class World:
    """One pod that says that it goes by ``hash``; as informer, client and consumers at once."""

    def __init__(self) -> None:
        self.pod: Object = {"metadata": {"name": "p", "namespace": "n", "uid": "u"}}
        self.hash: str | None = "old"
        self.now = 100.0
        self.problem: Trouble | None = None
        self.refusal: ApiError | None = None
        self.told: list[str] = []
        anything: Any = self
        self.nudge = Nudge(anything, anything, anything, 5.0, lambda: self.now)

    def on_change(self, _handler: Any) -> None:
        """Nothing ever goes."""

    def in_group(self, _key: Any) -> list[Object]:
        return [self.pod]

    def of(self, _pod: Object) -> Seen | None:
        if self.hash is None:
            return None
        return Seen("p", Report(self.hash, "Running", self.problem, False, ()))

    def patch(self, *arguments: Any, **_options: Any) -> Object:
        if self.refusal is not None:
            raise self.refusal
        change: Object = arguments[3]
        self.told.append(change["metadata"]["annotations"][names.ANNOTATION_CONFIG])
        return {"metadata": {**self.pod["metadata"], **change["metadata"]}}

    def remember(self, pod: Object) -> None:
        self.pod = pod

    def look(self, wanted: str = "new") -> float | None:
        return self.nudge.behind(("n", "orders"), wanted)


def test_it_is_told_at_once_and_again_until_the_pod_follows() -> None:
    world = World()
    assert world.look() == 5.0
    world.now += 2
    assert world.look() == 3.0
    world.now += 3
    assert world.look() == 5.0
    world.now += 5
    world.look()
    assert world.told == ["new", "new.2", "new.3"]
    # Another one need not wait for its turn.
    world.look("newer")
    assert world.told[3:] == ["newer"]
    world.hash = "newer"
    assert world.look("newer") is None
    assert len(world.told) == 4


def test_a_pod_that_refuses_its_configuration_is_told_once() -> None:
    world = World()
    world.problem = Trouble("ConfigInvalid", "topic: found 1", "2026-01-01T00:00:00Z")
    assert world.look() == 5.0
    world.now += 6
    assert world.look() is None
    assert world.look("newer") == 5.0
    assert world.told == ["new", "newer"]


def test_pods_that_say_nothing_or_go() -> None:
    world = World()
    world.hash = None
    assert world.look() is None
    world.hash = "old"
    world.pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert world.look() is None
    assert world.told == []


def test_a_refusal_is_no_reason_to_stop() -> None:
    world = World()
    world.refusal = Conflict(409, "Conflict", "changed")
    assert world.look() == 5.0
    world.refusal = None
    world.now += 5
    world.look()
    assert world.told == ["new"]
