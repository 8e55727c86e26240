"""What the way through the gateway adds to a call: the same Function straight and by host name.

Rounds alternate between the ways, each over one connection that is kept, so that
whatever else the machine does weighs on all of them.
"""

from __future__ import annotations

import http.client
import statistics
import time
from dataclasses import dataclass
from typing import Any

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_controller.reconcile.http_trigger import HTTP_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.resources import SERVICES
from support.functions import manifest
from support.gateway import gateway_up
from support.waiting import wait_for

ROUNDS = 10
CALLS = 200


@dataclass(frozen=True)
class Way:
    """One way to the function."""

    name: str
    address: str
    port: int
    host: str


def measure(client: Client, namespace: str) -> None:
    """Print a table in Markdown; the namespace's deletion takes away what is made."""
    with gateway_up() as gateway:
        client.create(FUNCTIONS, manifest(namespace, "called"))
        routes: dict[str, dict[str, Any]] = {
            "HTTPRoute": {"parentRefs": [gateway.parent]},
            "Ingress": {"ingressClassName": gateway.ingress_class},
        }
        for kind, target in routes.items():
            spec = {
                "function-name": "called",
                "host-name": f"{kind.lower()}-{namespace}.example.test",
                **target,
            }
            trigger = {
                "apiVersion": "kubeless.io/v1beta1",
                "kind": "HTTPTrigger",
                "metadata": {"name": kind.lower(), "namespace": namespace},
                "spec": spec,
            }
            client.create(HTTP_TRIGGERS, trigger)
        service = wait_for(
            lambda: client.get(SERVICES, namespace, "called")["spec"]["clusterIP"], "the Service"
        )
        ways = [Way("Service", service, 8080, "called")]
        ways += [
            Way(kind, gateway.address, 80, f"{kind.lower()}-{namespace}.example.test")
            for kind in routes
        ]
        times: dict[str, list[float]] = {way.name: [] for way in ways}
        for way in ways:
            wait_for(lambda way=way: _answers(way), f"{way.name} answers", 60)
        for _ in range(ROUNDS):
            for way in ways:
                times[way.name] += _round(way)
        _report(times)
        for kind in routes:
            client.delete(HTTP_TRIGGERS, namespace, kind.lower())


def _answers(way: Way) -> bool:
    try:
        _round(way, calls=1)
    except (OSError, http.client.HTTPException, AssertionError):
        return False
    return True


def _round(way: Way, calls: int = CALLS) -> list[float]:
    """Milliseconds of each call, one after the other over one connection."""
    connection = http.client.HTTPConnection(way.address, way.port, timeout=5)
    found = []
    for _ in range(calls):
        began = time.perf_counter()
        connection.request("GET", "/", headers={"Host": way.host})
        answer = connection.getresponse()
        body = answer.read()
        found.append((time.perf_counter() - began) * 1000)
        assert (answer.status, body) == (200, b"hello"), (way, answer.status, body)
    connection.close()
    return found


def _report(times: dict[str, list[float]]) -> None:
    print(f"\nMilliseconds of one call, {ROUNDS} rounds of {CALLS} over one connection\n")
    print("| way | p50 | p99 | p50 above the Service |")
    print("|---|---|---|---|")
    straight = statistics.median(times["Service"])
    for name, values in times.items():
        middle, last = statistics.median(values), statistics.quantiles(values, n=100)[98]
        print(f"| {name} | {middle:.2f} | {last:.2f} | {middle - straight:.2f} |")
