"""Events: what `kubectl describe` shows of a Function's life, and never a flood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.events import BURST, EventRecorder
from kubeless_kube.resources import EVENTS
from support.clock import Clock
from support.functions import manifest
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]


def events(client: Client, namespace: str) -> list[Object]:
    found: list[Object] = client.list(EVENTS, namespace, fields="involvedObject.kind=Function")[
        "items"
    ]
    return found


@pytest.mark.usefixtures("controlled")
def test_a_refusal_and_an_alias_are_told(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(runtime="cobol85")
    condition("hello", "Accepted", "UnknownRuntime")
    (event,) = wait_for(lambda: events(client, namespace), "an event")
    assert (event["type"], event["reason"]) == ("Warning", "UnknownRuntime")
    assert "spec.runtime: found 'cobol85'" in event["message"]
    assert (
        event["involvedObject"]["uid"]
        == client.get(FUNCTIONS, namespace, "hello")["metadata"]["uid"]
    )
    deploy(runtime="python3.7")
    condition("hello", "Accepted", "Valid")

    def aliases() -> list[Object]:
        return [one for one in events(client, namespace) if one["reason"] == "RuntimeAlias"]

    (event,) = wait_for(aliases, "an event of the alias")
    assert (event["type"], event["message"]) == ("Normal", "runtime python3.7 is run by python3.13")
    deploy(runtime="python3.7", env=[{"name": "A", "value": "1"}])
    condition("hello", "Accepted", "Valid")
    deploy(runtime="cobol85")
    condition("hello", "Accepted", "UnknownRuntime")
    wait_for(lambda: sum(one["count"] for one in events(client, namespace)) == 3, "one more")
    assert len(aliases()) == 1


class Recording:
    """A recorder over a Function that was never made, its clock and what it dropped."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client, self.namespace = client, namespace
        self.function = manifest(namespace)
        self.function["metadata"]["uid"] = "1"
        self.clock = Clock()
        self.dropped = 0
        self.recorder = EventRecorder(client, "test", "test-1", on_drop=self.drop, clock=self.clock)
        self.recorder.start()

    def drop(self) -> None:
        self.dropped += 1

    def record(self, message: str) -> None:
        self.recorder.record(self.function, "Warning", "Broken", message)

    def counts(self) -> dict[str, int]:
        return {one["message"]: one["count"] for one in events(self.client, self.namespace)}


@pytest.fixture
def recording(client: Client, namespace: str) -> Iterator[Recording]:
    found = Recording(client, namespace)
    yield found
    found.recorder.stop(5)


def test_the_same_again_is_counted_and_after_a_while_told_anew(recording: Recording) -> None:
    for _ in range(3):
        recording.record("a")
    wait_for(lambda: recording.counts() == {"a": 3}, "one event, three times")
    recording.clock.now += 601
    recording.record("a")
    wait_for(lambda: len(events(recording.client, recording.namespace)) == 2, "a second one")


def test_an_object_gets_a_burst_and_then_few(recording: Recording) -> None:
    for number in range(BURST + 10):
        recording.record(f"{number}")
    wait_for(lambda: recording.dropped == 10, "ten are dropped")
    assert len(recording.counts()) == BURST
    recording.clock.now += 301
    recording.record("later")
    wait_for(lambda: "later" in recording.counts(), "another one after five minutes")


def test_lines_become_one(recording: Recording) -> None:
    recording.record("kubeless: SyntaxError\n    def handler(:\n                ^\n")
    wait_for(lambda: "kubeless: SyntaxError | def handler(: | ^" in recording.counts(), "one line")


def test_what_cannot_be_written_is_dropped_and_long_messages_are_cut(recording: Recording) -> None:
    recording.record("ä" * 2000)
    wait_for(lambda: len(recording.counts()) == 1, "a long one")
    (message,) = recording.counts()
    assert message.endswith("ä...")
    assert len(message.encode()) <= 1024
    recording.function["metadata"]["namespace"] = "there-is-none"
    recording.record("lost")
    wait_for(lambda: recording.dropped == 1, "one is dropped")
