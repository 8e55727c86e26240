"""How the controller does with thousands of Functions, on a bare API server and etcd.

    building     all of them, against a plain script that writes the same objects over as many connections
    restarting   on all of them, settled: what it writes (nothing), how long it takes
    changing     one among all of them
    memory       resident, by the number of Functions

BENCH_FUNCTIONS sets how many (2,000); BENCH_SIZES the steps of the memory's table. Everything runs
on the same machine: the API server, etcd and whoever writes share its cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.controller.functions import function, name_of
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS, NAMESPACES
from support.control_plane import ROOT, ControlPlane
from support.controller import Controller
from support.waiting import wait_for

Object = dict[str, Any]

COUNT = int(os.environ.get("BENCH_FUNCTIONS", "2000"))
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "100,1000,5000").split(",") if size]
CONNECTIONS = 8
ROUNDS = 5
REPORT = ROOT / "build/bench-controller.md"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """One controller at work on a control plane of its own."""

    plane: ControlPlane
    client: Client
    controller: Controller

    def memory(self) -> float:
        """Resident memory of the controller in MiB."""
        status = Path(f"/proc/{self._pid()}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def cpu(self) -> float:
        """Processor seconds that the controller has used."""
        fields = Path(f"/proc/{self._pid()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def passes(self) -> float:
        """Passes that it has made."""
        return self.controller.metric("controller_runtime_reconcile_total")

    def requests(self) -> float:
        """Requests that it has sent, but for watches."""
        return self.controller.metric("rest_client_requests_total") - self.controller.metric(
            'rest_client_requests_total{code="200",method="WATCH"}'
        )

    def settle(self) -> None:
        """Wait until it makes no pass for two seconds."""
        before = -1.0
        while (now := self.passes()) != before:
            before = now
            time.sleep(2)

    def _pid(self) -> int:
        assert self.controller.process is not None
        return self.controller.process.pid


def main() -> int:
    """Measure, print the tables and store them."""
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')}, {COUNT:,} Functions, {CONNECTIONS} connections."
    ]
    with tempfile.TemporaryDirectory(prefix="kubeless-bench-") as folder:
        with_plane(Path(folder) / "build", lambda run: lines.extend(building(run)))
        for size in SIZES:
            path = Path(folder) / f"memory-{size}"
            with_plane(path, lambda run, size=size: lines.extend(memory(run, size)))
    text = "\n".join([*lines, ""])
    print(text)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    return 0


def with_plane(folder: Path, measure: Any) -> None:
    """Measure on a control plane of its own."""
    folder.mkdir()
    plane = ControlPlane(folder)
    controller = Controller(
        plane.kubeconfig, folder, workers=CONNECTIONS, leaderElection={"enabled": True}
    )
    try:
        plane.start()
        plane.install()
        measure(Run(plane, plane.client(connections=CONNECTIONS), controller))
    finally:
        controller.end()
        plane.stop()


def building(run: Run) -> list[str]:
    """The table of building, restarting and changing."""
    say("writing the Functions")
    for namespace in ("plain", "ours"):
        apply(run.client, namespace, COUNT)
    say("the plain script")
    command = [sys.executable, "-m", "bench.controller.plain", str(run.plane.kubeconfig), "plain"]
    done = subprocess.run(
        [*command, str(COUNT), str(CONNECTIONS)], capture_output=True, text=True, check=True
    )
    children, everything = map(float, done.stdout.split())
    say("the controller")
    run.controller.configure(
        workers=CONNECTIONS, leaderElection={"enabled": False}, watchNamespaces=["ours"]
    )
    run.controller.launch()
    began = time.monotonic()
    wait_until_built(run)
    ours = time.monotonic() - began
    requests, cpu = run.requests() / COUNT, run.cpu()
    run.settle()
    say("a restart")
    assert run.controller.process is not None
    run.controller.process.stop()
    began = time.monotonic()
    run.controller.launch()
    ready = time.monotonic() - began
    wait_for(lambda: run.passes() >= COUNT, "all looked at", 120)
    looked = time.monotonic() - began
    writes, resident = run.controller.writes(), run.memory()
    say("one change")
    run.settle()
    changes = [change(run, number) for number in range(ROUNDS)]
    seconds = sorted(one[0] for one in changes)[ROUNDS // 2]
    sent = sorted(one[1] for one in changes)[ROUNDS // 2]
    milliseconds = sorted(one[2] for one in changes)[ROUNDS // 2] * 1000
    return [
        "",
        "| what | seen | target |",
        "|---|---|---|",
        f"| a plain script writes the children | {children:.1f} s ({3 * COUNT / children:.0f} writes/s) | |",
        f"| ... and a status for each Function | {everything:.1f} s | |",
        f"| the controller builds all, with status | {ours:.1f} s, {cpu:.1f} s of it processor time | |",
        f"| ratio to the children alone | {ours / children:.2f} | 1.5 |",
        f"| ratio to children and status | {ours / everything:.2f} | |",
        f"| requests for each Function | {requests:.2f} | |",
        f"| restart: ready after | {ready:.1f} s | 5 s |",
        f"| restart: all looked at after | {looked:.1f} s | |",
        f"| restart: writes | {writes:.0f} | 0 |",
        f"| restart: resident memory | {resident:.0f} MiB | 250 MiB |",
        f"| one change: until the Deployment has it, median of {ROUNDS} | {seconds * 1000:.0f} ms | |",
        f"| one change: requests, processor time | {sent:.0f}, {milliseconds:.0f} ms | |",
    ]


def change(run: Run, number: int) -> tuple[float, float, float]:
    """Seconds until a change is in the Deployment; requests; processor seconds."""
    name, value = name_of(number), str(time.monotonic())
    requests, cpu = run.requests(), run.cpu()
    began = time.monotonic()
    body = {"spec": {"env": [{"name": "NUMBER", "value": value}]}}
    run.client.patch(FUNCTIONS, "ours", name, body)

    def changed() -> bool:
        spec = run.client.get(DEPLOYMENTS, "ours", name)["spec"]["template"]["spec"]
        return {"name": "NUMBER", "value": value} in spec["containers"][0]["env"]

    wait_for(changed, "the change")
    seconds = time.monotonic() - began
    run.settle()
    return seconds, run.requests() - requests, run.cpu() - cpu


def memory(run: Run, size: int) -> list[str]:
    """One row of the table of memory."""
    say(f"memory with {size} Functions")
    apply(run.client, "ours", size)
    run.controller.configure(workers=CONNECTIONS, leaderElection={"enabled": False})
    run.controller.launch()
    wait_until_built(run)
    run.settle()
    built = run.memory()
    assert run.controller.process is not None
    run.controller.process.stop()
    run.controller.launch()
    wait_for(lambda: run.passes() >= size, "all looked at", 120)
    run.settle()
    head = ["", "| Functions | resident after building | after a restart |", "|---|---|---|"]
    row = f"| {size:,} | {built:.0f} MiB | {run.memory():.0f} MiB |"
    return [*head, row] if size == SIZES[0] else [row]


def apply(client: Client, namespace: str, count: int) -> None:
    """Make the namespace and its Functions."""
    client.create(NAMESPACES, {"metadata": {"name": namespace}})
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda n: client.create(FUNCTIONS, function(namespace, n)), range(count)))


def wait_until_built(run: Run) -> None:
    """Wait until every Function has a status: by the controller's own count, which costs the server nothing."""
    unknown = 'kubeless_objects{kind="Function",ready="Unknown"'
    # Seldom: the count costs the controller something.
    wait_for(lambda: run.controller.metric(unknown) == 0, "all are built", 900, pause=0.5)


def say(what: str) -> None:
    """Tell whoever waits."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
