"""Calls on a schedule in a real cluster: when they come, what they bring, and what becomes of those that fail.

One minute is waited for, once, by everything that needs a real firing.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeless_controller.desired import cronjob_name
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import CRONJOBS, EVENTS, JOBS, PODS, Resource
from support.calls import address, call
from support.functions import manifest
from support.namespace_pool import Pool
from support.triggers import YEARLY, fire, trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]

SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
EVERY_MINUTE = "* * * * *"
# What a shell, a kubelet or a YAML parser would take for something else; with what makes 100 KiB of it.
PAYLOAD = {
    "shell": 'it\'s "quoted" `id` $HOME ${HOME} $(KUBELESS_URL) $$(date) \\ ; & | > *',
    "lines": "a\nb\r\n\tc\u2028d\u0085e\u0000f",
    "unicode": "Grüße 😀 \U0010fffd \ufeff \uffff",
    "numbers": [0, -1, 2.5, 1e300, 9007199254740993],
    "nothing": [None, False, "", {}, []],
    "large": "é$(x)" * 20_000,
}
# Keeps what it gets; a GET with ?kept of it gives that back.
KEEPER = """
import json
kept = []

def handler(event, context):
    request = event['extensions']['request']
    if request.args.get('kept'):
        return kept
    kept.append({
        'method': request.method,
        'data': event['data'],
        'body': len(request.get_data()),
        'headers': {name.lower(): value for name, value in request.headers.items()},
        'event': {name: event[name] for name in event if name.startswith('event-')},
    })
    return 'kept'
"""


@pytest.fixture(scope="module")
def fired(client: Client, pool: Pool) -> Iterator[str]:
    """A namespace in which every trigger of these tests was there for one whole minute."""
    with pool.borrowed() as namespace:
        for name in ("plain", "payload", "suspended"):
            client.create(FUNCTIONS, manifest(namespace, name, function=KEEPER))
        broken = "def handler(event, context):\n    return 'no ' + 'o' * 1000, 500\n"
        client.create(FUNCTIONS, manifest(namespace, "broken", function=broken))
        wait_for(lambda: ready(client, namespace), "all functions serve", 120)
        # With time enough before the minute to be built.
        wait_for(lambda: time.time() % 60 < 45, "the minute is not about to end", 30)
        specs: dict[str, Object] = {
            "plain": {},
            "payload": {"payload": PAYLOAD},
            "suspended": {"suspend": True},
            "broken": {"backoffLimit": 0},
        }
        for name, spec in specs.items():
            wanted = trigger_manifest(namespace, name, function=name, schedule=EVERY_MINUTE, **spec)
            client.create(CRONJOB_TRIGGERS, wanted)
        wait_for(
            lambda: all(status(client, namespace, name).get("conditions") for name in specs),
            "all triggers are built",
        )
        assert {status(client, namespace, name)["nextFiringTime"] for name in ("plain", "broken")}
        first = datetime.fromisoformat(status(client, namespace, "plain")["nextFiringTime"])
        assert 0 < (first - datetime.now(UTC)).total_seconds() <= 60
        results = {"plain": "Succeeded", "payload": "Succeeded", "broken": "Failed"}
        wait_for(
            lambda: all(
                status(client, namespace, name).get("lastResult") == result
                and datetime.fromisoformat(status(client, namespace, name)["lastFiringTime"])
                == first
                for name, result in results.items()
            ),
            "the minute came",
            90,
        )
        for name in specs:
            stop = {"spec": {"suspend": True}}
            client.patch(CRONJOB_TRIGGERS, namespace, name, stop)
        yield namespace


def ready(client: Client, namespace: str) -> bool:
    functions = client.list(FUNCTIONS, namespace)["items"]
    return all(
        any(
            entry["type"] == "Ready" and entry["status"] == "True"
            for entry in (function.get("status") or {}).get("conditions", [])
        )
        for function in functions
    )


def status(client: Client, namespace: str, name: str) -> Object:
    return client.get(CRONJOB_TRIGGERS, namespace, name).get("status") or {}


def kept(client: Client, namespace: str, name: str) -> list[Object]:
    found: list[Object] = json.loads(call(address(client, namespace, name), "/?kept=1")[1])
    return found


def pods(client: Client, namespace: str, name: str) -> list[Object]:
    found = client.list(PODS, namespace, labels="kubeless.io/trigger=cronjob")["items"]
    return [
        pod for pod in found if pod["metadata"]["annotations"]["kubeless.io/trigger-name"] == name
    ]


def test_a_schedule_fires_in_its_minute_and_once(client: Client, fired: str) -> None:
    (got,) = kept(client, fired, "plain")
    assert (got["method"], got["body"], got["data"]) == ("GET", 0, None)
    headers = got["headers"]
    assert headers["content-type"] == "application/json"
    (job,) = [
        job
        for job in client.list(JOBS, fired, labels="kubeless.io/trigger=cronjob")["items"]
        if job["metadata"]["name"].startswith("trigger-plain-")
    ]
    at = datetime.fromisoformat(status(client, fired, "plain")["lastFiringTime"])
    assert headers["event-id"] == headers["ce-id"] == job["metadata"]["uid"]
    assert headers["event-time"] == at.strftime("%Y-%m-%d %H:%M:%S+00:00")
    assert headers["ce-time"] == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert headers["event-type"] == "application/json"
    assert headers["event-namespace"] == "cronjobtrigger.kubeless.io"
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == "io.kubeless.cronjobtrigger.fired"
    assert headers["ce-source"].endswith(f"/namespaces/{fired}/cronjobtriggers/plain")
    assert got["event"]["event-time"] == headers["event-time"]
    started = datetime.fromisoformat(job["status"]["startTime"])
    assert 0 <= (started - at).total_seconds() < 60


def test_a_payload_arrives_as_the_same_value(client: Client, fired: str) -> None:
    (got,) = kept(client, fired, "payload")
    assert got["method"] == "POST"
    assert got["body"] > 100 * 1024
    # What the API server itself keeps of a number is what is sent.
    sent = client.get(CRONJOB_TRIGGERS, fired, "payload")["spec"]["payload"]
    assert got["data"] == sent
    assert {key: value for key, value in sent.items() if key != "numbers"} == {
        key: value for key, value in PAYLOAD.items() if key != "numbers"
    }


def test_one_that_is_suspended_does_not_fire(client: Client, fired: str) -> None:
    assert kept(client, fired, "suspended") == []
    assert "lastFiringTime" not in status(client, fired, "suspended")
    (entry,) = [
        entry
        for entry in status(client, fired, "suspended")["conditions"]
        if entry["type"] == "Ready"
    ]
    assert entry["reason"] == "Suspended"


def test_a_function_that_answers_500_has_failed(client: Client, fired: str) -> None:
    seen = status(client, fired, "broken")
    url = f"http://broken.{fired}.svc:8080"
    expected = rf"{re.escape(url)}: answered 500 [A-Za-z ]+: no o+"
    assert re.fullmatch(expected, seen["lastMessage"])
    assert len(seen["lastMessage"]) < 500
    told = [
        event["message"]
        for event in client.list(EVENTS, fired)["items"]
        if event["reason"] == "FiringFailed"
    ]
    assert len(told) == 1
    assert "answered 500" in told[0]
    (pod,) = pods(client, fired, "broken")
    (container,) = pod["status"]["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 1


def test_the_pods_of_calls_are_never_endpoints(client: Client, fired: str) -> None:
    addresses = {
        endpoint.get("targetRef", {}).get("name")
        for item in client.list(SLICES, fired)["items"]
        for endpoint in item.get("endpoints") or []
    }
    callers = {
        pod["metadata"]["name"] for name in ("plain", "broken") for pod in pods(client, fired, name)
    }
    assert callers
    assert addresses
    assert not callers & addresses


def test_attempts_of_one_call_bring_one_event_and_end_in_a_success(
    client: Client, fired: str
) -> None:
    second = """
seen = []

def handler(event, context):
    if event['event-namespace']:
        seen.append(event['event-id'])
        return 'again', 503 if len(seen) == 1 else 200
    return seen
"""
    client.create(FUNCTIONS, manifest(fired, "again", function=second))
    client.create(CRONJOB_TRIGGERS, trigger_manifest(fired, "again", function="again"))
    wait_for(lambda: ready(client, fired), "the function serves", 60)
    wait_for(lambda: status(client, fired, "again").get("cronJob"), "the trigger is built")
    job = fire(client, fired, "trigger-again", "by-hand")
    wait_for(lambda: status(client, fired, "again").get("lastResult") == "Succeeded", "done", 60)
    seen = json.loads(call(address(client, fired, "again"))[1])
    assert seen == [job["metadata"]["uid"]] * 2


def test_a_call_reaches_a_function_whose_pods_are_just_started(client: Client, fired: str) -> None:
    """The first attempt waits for the Service: no Job fails because it came a second early."""
    client.create(FUNCTIONS, manifest(fired, "late", function=KEEPER))
    client.create(
        CRONJOB_TRIGGERS, trigger_manifest(fired, "late", function="late", backoffLimit=0)
    )
    wait_for(lambda: status(client, fired, "late").get("cronJob"), "the trigger is built")
    fire(client, fired, "trigger-late", "early")
    wait_for(lambda: status(client, fired, "late").get("lastResult") == "Succeeded", "done", 60)
    assert len(kept(client, fired, "late")) == 1


def test_a_function_that_is_too_slow_is_told(client: Client, fired: str) -> None:
    slow = "import time\ndef handler(event, context):\n    time.sleep(30)\n"
    client.create(FUNCTIONS, manifest(fired, "slow", function=slow, timeout=1))
    spec: Object = {"function": "slow", "backoffLimit": 0, "schedule": YEARLY}
    client.create(CRONJOB_TRIGGERS, trigger_manifest(fired, "slow", **spec))
    wait_for(lambda: ready(client, fired), "the function serves", 60)
    wait_for(lambda: status(client, fired, "slow").get("cronJob"), "the trigger is built")
    fire(client, fired, "trigger-slow", "slow-by-hand")
    wait_for(lambda: status(client, fired, "slow").get("lastResult") == "Failed", "it failed", 60)
    assert "answered 408" in status(client, fired, "slow")["lastMessage"]


def test_a_function_with_a_schedule_of_its_own_is_called(
    client: Client, fired: str, wait: Callable[..., None]
) -> None:
    scheduled = manifest(fired, "own", function=KEEPER, type="Scheduled", schedule=YEARLY)
    client.create(FUNCTIONS, scheduled)
    wait("function/own", "Ready")
    wait("function/own", "Scheduled")
    assert client.get(CRONJOBS, fired, cronjob_name.first("own"))
    fire(client, fired, "trigger-own", "own-by-hand")
    wait_for(lambda: status(client, fired, "own").get("lastResult") == "Succeeded", "done", 60)
    (got,) = kept(client, fired, "own")
    assert got["event"]["event-namespace"] == "cronjobtrigger.kubeless.io"


@pytest.fixture
def wait(fired: str, kubectl: Callable[..., Any]) -> Callable[..., None]:
    """Wait for a condition as a user does."""

    def wait_for_condition(what: str, kind: str) -> None:
        kubectl("wait", f"--for=condition={kind}", what, "--timeout=60s", "-n", fired)

    return wait_for_condition
