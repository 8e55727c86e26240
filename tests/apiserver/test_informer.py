"""The guarantees of the informer, one test each."""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.informer import Informer
from kubeless_kube.resources import CONFIGMAPS
from support.waiting import wait_for

Object = dict[str, Any]


def group_of(obj: Object) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["labels"].get("group", "")


class Followed:
    """An informer over the namespace's ConfigMaps and what it told its handler."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.told: queue.Queue[Object] = queue.Queue()
        self.informer = Informer(
            client, CONFIGMAPS, namespace=namespace, labels="test=informer", group_of=group_of
        )
        self.informer.on_change(self.told.put)
        self.informer.start()
        assert self.informer.synced.wait(10)

    def next(self) -> Object:
        return self.told.get(timeout=10)


@pytest.fixture
def followed(client: Client, namespace: str) -> Iterator[Followed]:
    found = Followed(client, namespace)
    yield found
    found.informer.stop()


def config_map(namespace: str, name: str = "a", group: str = "g", **data: str) -> Object:
    labels = {"test": "informer", "group": group}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_every_change_calls_the_handlers(
    client: Client, namespace: str, followed: Followed
) -> None:
    client.create(CONFIGMAPS, config_map(namespace, x="1"))
    assert followed.next()["data"] == {"x": "1"}
    client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "2"}})
    assert followed.next()["data"] == {"x": "2"}
    client.delete(CONFIGMAPS, namespace, "a")
    assert followed.next()["data"] == {"x": "2"}
    assert followed.informer.get(namespace, "a") is None


def test_a_failure_never_ends_it_and_after_410_it_lists_again(
    client: Client, namespace: str, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create(CONFIGMAPS, config_map(namespace))
    followed.next()
    other = Followed(client, namespace)
    try:
        other.next()
        # As if it had slept since the world began: the server no longer knows what was then.
        other.informer._version = "1"
        watch = client.watch

        def broken(*arguments: Any, **options: Any) -> Any:
            if options["resource_version"] == "1":
                return watch(*arguments, **options)
            monkeypatch.setattr(client, "watch", watch)
            raise OSError("the network is down")

        monkeypatch.setattr(client, "watch", broken)
        client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "1"}})
        wait_for(
            lambda: (other.informer.get(namespace, "a") or {}).get("data") == {"x": "1"},
            "it follows again",
        )
    finally:
        other.informer.stop()


def test_what_went_while_nobody_watched_is_told(
    client: Client, namespace: str, followed: Followed
) -> None:
    client.create(CONFIGMAPS, config_map(namespace))
    followed.next()
    followed.informer.stop()
    client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "wakes the watch, which ends"}})
    followed.informer._thread.join(10)
    client.delete(CONFIGMAPS, namespace, "a")
    followed.informer._list()
    assert followed.next()["metadata"]["name"] == "a"
    assert followed.informer.get(namespace, "a") is None


def test_an_object_that_changes_its_group_is_told_under_both(
    client: Client, namespace: str, followed: Followed
) -> None:
    client.create(CONFIGMAPS, config_map(namespace, group="old"))
    followed.next()
    client.patch(CONFIGMAPS, namespace, "a", {"metadata": {"labels": {"group": "new"}}})
    assert [group_of(followed.next())[1] for _ in range(2)] == ["old", "new"]
    assert not followed.informer.in_group((namespace, "old"))
    assert len(followed.informer.in_group((namespace, "new"))) == 1


def test_what_a_write_returned_is_taken_until_something_newer_is_known(
    client: Client, namespace: str, followed: Followed
) -> None:
    made = client.create(CONFIGMAPS, config_map(namespace, x="1"))
    followed.informer.remember(copy.deepcopy(made))
    assert followed.informer.get(namespace, "a") is not None
    client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "2"}})
    wait_for(
        lambda: (followed.informer.get(namespace, "a") or {})["data"] == {"x": "2"}, "the change"
    )
    followed.informer.remember(made)
    found = followed.informer.get(namespace, "a")
    assert found is not None
    assert found["data"] == {"x": "2"}


def test_the_echo_of_a_write_is_no_news(
    client: Client, namespace: str, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client.create(CONFIGMAPS, config_map(namespace, x="1"))
    followed.next()
    # The answer is taken before the event comes.
    taken = threading.Event()
    store = followed.informer._store

    def late(obj: Object, *, gone: bool) -> Any:
        taken.wait(10)
        return store(obj, gone=gone)

    monkeypatch.setattr(followed.informer, "_store", late)
    body = {
        "metadata": {"resourceVersion": made["metadata"]["resourceVersion"]},
        "data": {"x": "2"},
    }
    followed.informer.remember(client.patch(CONFIGMAPS, namespace, "a", body))
    taken.set()
    client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "3"}})
    assert followed.next()["data"] == {"x": "3"}


def test_those_that_ask_are_told_what_a_write_returned(client: Client, namespace: str) -> None:
    told: queue.Queue[Object] = queue.Queue()
    changes: queue.Queue[Object] = queue.Queue()
    informer = Informer(client, CONFIGMAPS, namespace=namespace, labels="test=informer")
    informer.on_change(told.put, writes=True)
    informer.on_change(changes.put)
    # Not started: what is told can only come from the write.
    informer.remember(client.create(CONFIGMAPS, config_map(namespace, x="1")))
    assert told.get_nowait()["data"] == {"x": "1"}
    informer.remember(client.get(CONFIGMAPS, namespace, "a"))
    assert told.empty(), "the same again is no news"
    assert changes.empty(), "whoever wrote has seen it"


@pytest.mark.parametrize("seen", ["by an event", "by a list"])
def test_an_object_that_is_gone_never_comes_back(
    client: Client, namespace: str, followed: Followed, seen: str
) -> None:
    made = client.create(CONFIGMAPS, config_map(namespace))
    followed.next()
    if seen == "by a list":
        followed.informer.stop()
        client.patch(CONFIGMAPS, namespace, "a", {"data": {"x": "wakes the watch, which ends"}})
        followed.informer._thread.join(10)
        client.delete(CONFIGMAPS, namespace, "a")
        followed.informer._list()
    else:
        client.delete(CONFIGMAPS, namespace, "a")
    followed.next()
    # The answer to a write that was on its way when the object went.
    followed.informer.remember(made)
    assert followed.informer.get(namespace, "a") is None
