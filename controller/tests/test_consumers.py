"""Whom the controller asks, how often, and what it makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeless_api import names
from kubeless_controller.desired.consumer_name import name_of, selector_labels
from kubeless_controller.reconcile.consumers import Consumers, is_asked
from kubeless_controller.reconcile.status_request import NoAnswer
from kubeless_controller.reconcile.subscriptions import Subscriptions
from kubeless_controller.settings import Pace

Object = dict[str, Any]


class Objects:
    """As an informer."""

    def __init__(self, *objects: Object) -> None:
        self.handlers: list[Any] = []
        self.objects = {one["metadata"]["name"]: one for one in objects}

    def on_change(self, handler: Any, *, writes: bool = False) -> None:
        self.handlers.append(handler)

    def get(self, _namespace: str, name: str) -> Object | None:
        return self.objects.get(name)

    def in_group(self, _group: Any) -> list[Object]:
        return list(self.objects.values())

    def drop(self, name: str) -> None:
        gone = self.objects.pop(name)
        for handler in self.handlers:
            handler(gone)


class World:
    """One pod, whose answers are ``answers``, one a request; the last one again and again."""

    def __init__(self, *answers: bytes | Exception) -> None:
        pod: Object = {
            "metadata": {
                "name": "p",
                "namespace": "n",
                "uid": "u",
                "annotations": {names.ANNOTATION_TRIGGER: "orders"},
            },
            "status": {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": []},
        }
        self.pod = pod
        self.pods: Any = Objects(pod)
        self.answers = list(answers)
        self.now = 0.0
        self.told: list[float] = []
        self.consumers = Consumers(self.pods, Pace(), self.answer, lambda: self.now)
        self.consumers.on_news(self.tell)

    def tell(self, key: tuple[str, str]) -> None:
        assert key == ("n", "orders")
        self.told.append(self.now)

    def answer(self, address: str) -> bytes:
        assert address == "10.0.0.1"
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found

    def polls(self, number: int) -> list[float | None]:
        """Ask as often as the consumers themselves say."""
        waits = []
        for _ in range(number):
            waits.append(self.consumers.poll(("n", "p")))
            self.now += waits[-1] or 0
        return waits


def status(lag: int = 0, problem: Object | None = None) -> bytes:
    function = {
        "name": "hello",
        "partitions": 1,
        "start": None,
        "assigned": [{"partition": 0, "lag": lag}],
        "problem": problem,
        "lastError": None,
    }
    return json.dumps(
        {
            "version": 1,
            "configHash": "a",
            "state": "Running",
            "problem": None,
            "topicMissing": False,
            "functions": [function],
        }
    ).encode()


def test_only_what_is_new_is_told() -> None:
    world = World(status(1))
    assert world.polls(5) == [3.0] * 5
    assert world.told == [0.0]
    seen = world.consumers.of(world.pod)
    assert seen is not None
    assert seen.report is not None
    assert seen.report.subscriptions[0].lag == 1


def test_a_lag_that_changes_all_the_time_is_told_now_and_then() -> None:
    world = World(*(status(number) for number in range(9)))
    world.polls(9)
    assert world.told == [0.0, 12.0, 24.0]


def test_a_problem_is_told_at_once() -> None:
    problem = {"reason": "TopicNotFound", "message": "m", "time": ""}
    world = World(status(), status(1), status(2, problem), status(3))
    world.polls(4)
    assert world.told == [0.0, 6.0, 9.0]


def test_an_answer_that_fails_once_says_nothing() -> None:
    world = World(status(), NoAnswer("slow"), b"?", status())
    assert world.polls(4) == [3.0] * 4
    assert world.told == [0.0]


def test_a_pod_that_stays_silent_is_told_once_and_asked_less_and_less() -> None:
    world = World(status(), NoAnswer("slow"))
    assert world.polls(8) == [3.0, 3.0, 3.0, 3.0, 6.0, 12.0, 24.0, 30.0]
    assert world.told == [0.0, 9.0]
    seen = world.consumers.of(world.pod)
    assert seen is not None
    assert (seen.report, seen.failure) == (None, "slow")


def test_one_that_never_answered_is_told_at_once() -> None:
    world = World(NoAnswer("refused"))
    world.polls(1)
    assert world.told == [0.0]


def test_of_many_pods_each_is_asked_less_often() -> None:
    world = World(status())
    many = {
        f"p{number}": {
            **world.pod,
            "metadata": {**world.pod["metadata"], "name": f"p{number}", "uid": str(number)},
        }
        for number in range(600)
    }
    world.pods.objects = many
    waits = [world.consumers.poll(("n", name)) for name in many]
    assert waits[0] == 3.0
    assert waits[-1] == 6.0
    world.pods.drop("p0")
    assert world.consumers.poll(("n", "p1")) == 5.99


@pytest.mark.parametrize(
    "change",
    [
        {"status": {"phase": "Pending", "podIP": "10.0.0.1"}},
        {"status": {"phase": "Running"}},
        {"metadata": {"name": "p", "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
)
def test_pods_that_are_not_asked(change: Object) -> None:
    world = World(status())
    world.pods.objects["p"] = {**world.pod, **change}
    assert not is_asked(world.pods.objects["p"])
    assert world.consumers.poll(("n", "p")) is None
    assert world.told == []


def test_what_is_gone_is_forgotten() -> None:
    world = World(status())
    world.polls(1)
    world.pods.drop("p")
    assert world.consumers.of(world.pod) is None
    assert world.consumers.poll(("n", "p")) is None


def function(generation: int = 1, **labels: str) -> Object:
    return {
        "metadata": {
            "name": "hello",
            "namespace": "n",
            "uid": "u",
            "generation": generation,
            "resourceVersion": str(generation),
            "labels": labels,
        }
    }


def trigger(name: str, selector: Any) -> Object:
    metadata = {"name": name, "namespace": "n", "uid": name, "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {"topic": "t", "functionSelector": selector}}


def test_which_triggers_a_function_concerns() -> None:
    functions: Any = Objects(function(team="red"))
    triggers: Any = Objects(
        trigger("red", {"matchLabels": {"team": "red"}}),
        trigger("blue", {"matchLabels": {"team": "blue"}}),
        trigger("name", {"matchLabels": {"function": "hello"}}),
        trigger("wrong", "x"),
    )
    subscriptions = Subscriptions(functions, triggers)

    def concerned() -> list[str]:
        return [name for _, name in subscriptions.concerned(("n", "hello"))]

    assert concerned() == ["red", "name"]
    # Its status has changed: that concerns none.
    functions.objects["hello"]["status"] = {"replicas": 1}
    assert concerned() == []
    # That it left concerns the one that it was with, too.
    functions.objects["hello"] = function(team="blue")
    assert concerned() == ["red", "blue", "name"]
    functions.objects["hello"] = function(generation=2, team="blue")
    assert concerned() == ["blue", "name"]
    triggers.objects["blue"] = trigger("blue", {"matchLabels": {"team": "green"}})
    triggers.objects["blue"]["metadata"]["resourceVersion"] = "2"
    functions.drop("hello")
    assert concerned() == ["name"]
    assert concerned() == []


def test_names() -> None:
    assert name_of("orders") == "orders-kafka"
    assert selector_labels("orders") == {names.LABEL_KAFKA_TRIGGER: "orders"}
    long = "a" * 46 + "." + "b" * 30
    found = name_of(long)
    assert len(found) <= 63
    assert found.startswith("a" * 46 + "-")
    assert found != name_of(long + "c")
    assert len(selector_labels(long)[names.LABEL_KAFKA_TRIGGER]) <= 63
