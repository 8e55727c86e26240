"""What the kubelet and Prometheus are answered."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from kubeless_controller import __main__ as process
from kubeless_controller.metrics import Inventory
from kubeless_controller.probes import Probes
from kubeless_controller.reconcile.loop import Loop
from support.waiting import wait_for


class Health:
    """What is wrong, as a test says."""

    alive = ""
    ready = "the caches are not filled yet"


@pytest.fixture
def probes() -> Iterator[tuple[Probes, Health]]:
    health = Health()
    made = Probes(0, alive=lambda: health.alive, ready=lambda: health.ready)
    made.start()
    yield made, health
    made.stop()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_ready_and_alive_say_what_is_wrong(probes: tuple[Probes, Health]) -> None:
    served, health = probes
    assert get(served.port, "/livez") == (200, "ok")
    assert get(served.port, "/readyz") == (503, "the caches are not filled yet")
    health.ready, health.alive = "", "a pass has been going on for 200 s"
    assert get(served.port, "/readyz") == (200, "ok")
    assert get(served.port, "/livez") == (503, "a pass has been going on for 200 s")
    assert get(served.port, "/else")[0] == 404


def test_a_pass_that_never_ends_makes_the_process_unwell(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang(_: tuple[str, str]) -> None:
        begun.set()
        go_on.wait(20)

    loop = Loop("Probe", hang, 2)
    loop.start()
    assert process._stuck([loop]) == ""
    loop.queue.add(("default", "hello"))
    assert begun.wait(5)
    assert process._stuck([loop]) == "", "for a while it may"
    monkeypatch.setattr(process, "STUCK_SECONDS", 0.1)
    wait_for(lambda: process._stuck([loop]), "it is stuck")
    go_on.set()
    wait_for(lambda: not process._stuck([loop]), "it is well again")
    assert loop.stop(5)


def test_functions_are_counted_by_what_their_condition_says() -> None:
    def function(status: str, reason: str) -> dict[str, object]:
        ready = {"type": "Ready", "status": status, "reason": reason}
        return {"status": {"conditions": [{"type": "Accepted", "status": "True"}, ready]}}

    objects = [function("True", "Serving"), function("True", "Serving"), {"metadata": {}}]
    inventory = Inventory()
    inventory.add("Function", lambda: objects)
    (family,) = inventory.collect()
    found = {(s.labels["ready"], s.labels["reason"]): s.value for s in family.samples}
    assert found == {("True", "Serving"): 2, ("Unknown", ""): 1}
