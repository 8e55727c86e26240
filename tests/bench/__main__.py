"""How long it takes from an apply to the first answer, in the local cluster.

Ten Functions one after the other, each beside a plain Deployment and Service
of the same pod made in the same run: the difference is what the controller adds.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import threading
import time
import uuid
from typing import Any

from bench import gateway
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import DEPLOYMENTS, NAMESPACES, PODS, SERVICES
from support.control_plane import ROOT
from support.functions import manifest
from support.waiting import wait_for

Object = dict[str, Any]
RUNS = 10
SECONDS = 60.0
PORT = 8080


def main() -> None:
    """Measure and print a table in Markdown."""
    found = subprocess.run(
        [ROOT / "tools/cluster/cluster", "kubeconfig"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    client = Client.from_kubeconfig(found.stdout.strip())
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    client.create(NAMESPACES, {"metadata": {"name": namespace, "labels": labels}})
    try:
        warm = template(client, namespace)
        rows: dict[str, list[tuple[float, float]]] = {"Function": [], "plain Deployment": []}
        for number in range(RUNS):
            quiet(client, namespace)
            rows["Function"].append(function(client, namespace, f"f{number}"))
            quiet(client, namespace)
            rows["plain Deployment"].append(plain(client, namespace, f"p{number}", warm))
        report(rows)
        gateway.measure(client, namespace)
    finally:
        client.delete(NAMESPACES, None, namespace)


def quiet(client: Client, namespace: str) -> None:
    """Wait until the last run has left nothing that the next one would wait for.

    kube-proxy writes its rules at most once a second: a Service that is still
    going would take the turn of the one that is measured.
    """
    wait_for(lambda: len(client.list(PODS, namespace)["items"]) <= 1, "the last pods are gone")
    time.sleep(3)


def report(rows: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians, and the ratio to the plain Deployment's."""
    print(f"Seconds from apply to the first 200, median of {RUNS} (fastest to slowest)\n")
    print("| what | through the Service | at the pod |")
    print("|---|---|---|")
    for name, times in rows.items():
        cells = []
        for column in (0, 1):
            values = sorted(pair[column] for pair in times)
            middle = statistics.median(values)
            cells.append(f"{middle:.2f} ({values[0]:.2f} to {values[-1]:.2f})")
        print(f"| {name} | {cells[0]} | {cells[1]} |")
    ratios = [
        statistics.median(pair[column] for pair in rows["Function"])
        / statistics.median(pair[column] for pair in rows["plain Deployment"])
        for column in (0, 1)
    ]
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    print(
        f"\n{os.cpu_count()} cores, one node, image on the node, load average {os.getloadavg()[0]:.1f}"
    )


def template(client: Client, namespace: str) -> Object:
    """The pod template and source of a Function that ran once, so that everything is on the node."""
    client.create(FUNCTIONS, manifest(namespace, "warm"))
    wait_for_answer(client, namespace, "warm", time.monotonic())
    found: Object = client.get(DEPLOYMENTS, namespace, "warm")["spec"]["template"]
    return found


def function(client: Client, namespace: str, name: str) -> tuple[float, float]:
    """Apply a Function; seconds to the first answer of its Service and of its pod."""
    started = time.monotonic()
    client.apply(FUNCTIONS, manifest(namespace, name), manager="bench")
    times = wait_for_answer(client, namespace, name, started)
    client.delete(FUNCTIONS, namespace, name)
    return times


def plain(client: Client, namespace: str, name: str, warm: Object) -> tuple[float, float]:
    """Make the same pod's Deployment and Service by hand; the same two times."""
    labels = {"created-by": "bench", "function": name}
    pod = {**warm, "metadata": {"labels": labels}}
    metadata = {"name": name, "namespace": namespace}
    started = time.monotonic()
    ports = [{"port": PORT, "targetPort": PORT}]
    client.create(SERVICES, {"metadata": metadata, "spec": {"selector": labels, "ports": ports}})
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    client.create(DEPLOYMENTS, {"metadata": metadata, "spec": spec})
    times = wait_for_answer(client, namespace, name, started)
    client.delete(DEPLOYMENTS, namespace, name)
    client.delete(SERVICES, namespace, name)
    return times


def wait_for_answer(
    client: Client, namespace: str, name: str, started: float
) -> tuple[float, float]:
    """Seconds since ``started`` until the Service, and until the pod, answered 200."""
    seen: dict[str, float] = {}

    def service() -> None:
        seen["service"] = first_answer(lambda: service_address(client, namespace, name)) - started

    def pod() -> None:
        seen["pod"] = first_answer(lambda: pod_address(client, namespace, name)) - started

    threads = [threading.Thread(target=service), threading.Thread(target=pod)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen["service"], seen["pod"]


def first_answer(address: Any) -> float:
    """The time of the first 200 from an address that may not be there yet."""
    deadline = time.monotonic() + SECONDS
    host = ""
    while time.monotonic() < deadline:
        host = host or address()
        if host and answers(host):
            return time.monotonic()
        time.sleep(0.01)
    raise TimeoutError(f"no answer from {host or 'nowhere'} in {SECONDS:.0f} s")


def answers(host: str) -> bool:
    """Say whether one short try is answered 200."""
    connection = http.client.HTTPConnection(host, PORT, timeout=0.2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def service_address(client: Client, namespace: str, name: str) -> str:
    """The Service's address, or ''."""
    try:
        found: str = client.get(SERVICES, namespace, name)["spec"].get("clusterIP", "")
    except NotFound:
        return ""
    return found


def pod_address(client: Client, namespace: str, name: str) -> str:
    """The address of a pod of the function, or ''."""
    for pod in client.list(PODS, namespace, labels=f"function={name}")["items"]:
        if "podIP" in pod["status"]:
            found: str = pod["status"]["podIP"]
            return found
    return ""


if __name__ == "__main__":
    main()
