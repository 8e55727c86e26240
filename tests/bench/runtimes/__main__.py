"""Requests per second, latency, memory and start of every runtime, beside others.

Every server runs on one processor core and the load generator on another, one
server after the other in one run; ours with its access log, as it ships. Memory
is the sum of the proportional set sizes (PSS) of a server's processes. Ratios are
to the bare server of the language. BENCH_SECONDS sets how long each load lasts,
BENCH_LANGUAGES which languages take part.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.runtimes.contestants import HERE, Contestant, contestants
from conformance.client import BROKEN, Client
from conformance.server import free_port, pss, tree
from support.control_plane import ROOT
from support.processes import Process

SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
WARM_UP = 1.0
STARTS = 5
REPORT = ROOT / "build/bench-runtimes.md"


@dataclass(frozen=True)
class Load:
    """What the load generator does."""

    name: str
    endpoint: str
    size: int
    connections: int


LOADS = (
    Load("small", "echo", 0, 32),
    Load("1 KiB", "echo", 1024, 32),
    Load("64 KiB", "echo", 64 * 1024, 32),
    Load("sleep 20 ms", "sleep", 0, 256),
)


@dataclass
class Seen:
    """What was measured of one contestant. Rates per second, times in ms, memory in bytes."""

    contestant: Contestant
    start: float = 0.0
    idle: int = 0
    loads: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)


class Running:
    """One contestant's server on the server's core; ended when the block is."""

    def __init__(self, contestant: Contestant, endpoint: str, core: int, folder: Path) -> None:
        self.port = free_port()
        self.path = "/" if contestant.at_root or endpoint == "echo" else f"/{endpoint}"
        command = ["taskset", "-c", str(core), *contestant.start(self.port, endpoint)]
        self._began = time.monotonic()
        name = f"{contestant.language}-{contestant.name}"
        self._process = Process(re.sub(r"\W+", "-", name), command, folder)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        everything = tree(self._process.pid)
        self._process.stop(5)
        for pid in everything:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, 9)

    def wait(self) -> float:
        """Milliseconds from the start of the process to the first right answer."""
        client, body = Client("127.0.0.1", self.port), b'{"a":1}'
        headers = {"Content-Type": "application/json"}
        while time.monotonic() < self._began + 30:
            assert self._process.running(), self._process.tail()
            try:
                reply = client.request("POST", self.path, body, headers, timeout=5)
            except BROKEN:
                time.sleep(0.002)
                continue
            assert (reply.status, reply.json()) == (200, {"a": 1}), reply
            return (time.monotonic() - self._began) * 1000
        raise TimeoutError(self._process.tail())

    def memory(self) -> int:
        """PSS of all its processes in bytes."""
        return sum(pss(pid) for pid in tree(self._process.pid))


def main() -> int:
    """Measure, print the table and store it."""
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if shutil.which(program) is None:
            print(f"bench: {program} is not installed: apt-get install {package}", file=sys.stderr)
            return 1
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("bench: needs two processor cores, one of them for the load", file=sys.stderr)
        return 1
    wanted = os.environ.get("BENCH_LANGUAGES", "").split(",")
    everyone = [one for one in contestants() if wanted == [""] or one.language in wanted]
    with tempfile.TemporaryDirectory(prefix="kubeless-bench-") as name:
        results = [measure(one, cores, Path(name)) for one in everyone]
    text = report(results)
    print(text)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    return 0


def measure(contestant: Contestant, cores: list[int], folder: Path) -> Seen:
    """Start it a few times, then put every load on it."""
    print(f"{contestant.language}: {contestant.name}", file=sys.stderr, flush=True)
    seen = Seen(contestant)
    starts, idle = [], []
    for _ in range(STARTS):
        with Running(contestant, "echo", cores[0], folder) as server:
            starts.append(server.wait())
            time.sleep(0.5)  # what a server still does after its first answer
            idle.append(server.memory())
    seen.start, seen.idle = statistics.median(starts), int(statistics.median(idle))
    for load in LOADS:
        with Running(contestant, load.endpoint, cores[0], folder) as server:
            server.wait()
            put(load, server, cores[1], folder, WARM_UP)
            seen.loads[load.name] = put(load, server, cores[1], folder, SECONDS)
            seen.memory[load.name] = server.memory()
    return seen


def put(load: Load, server: Running, core: int, folder: Path, seconds: float) -> dict[str, float]:
    """Put a load on a server for some seconds; rate, p50, p99 in ms, failed."""
    body = folder / "body.json"
    body.write_text(json.dumps({"a": 1} if not load.size else {"a": "x" * (load.size - 8)}))
    done = subprocess.run(
        [
            *("taskset", "-c", str(core), "wrk", "--threads", "1", "--timeout", "5s"),
            *("--connections", str(load.connections), "--duration", f"{max(1, round(seconds))}s"),
            *("--script", str(HERE / "load.lua"), f"http://127.0.0.1:{server.port}{server.path}"),
        ],
        env={**os.environ, "BENCH_BODY": str(body)},
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 30,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(results: list[Seen]) -> str:
    """Everything as Markdown."""
    average = os.getloadavg()[0]
    lines = [
        f"Measured {time.strftime('%Y-%m-%d')}, {SECONDS:g} s for each load, one core for the server, another",
        f"for the load generator, load average {average:.1f} at the end; others with their own defaults.",
        "Each cell: requests/s (ratio to the bare server), p50 / p99 in ms, memory after the load.",
        "",
        "| language | server | " + " | ".join(_title(load) for load in LOADS) + " |",
        "|---|---|" + "---|" * len(LOADS),
    ]
    bare = {one.contestant.language: one for one in results if one.contestant.bare}
    for one in results:
        cells = [_cell(one, bare[one.contestant.language], load.name) for load in LOADS]
        lines.append(f"| {_who(one)} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Process start to the first 200 and idle memory, medians of {STARTS}:",
        "",
        "| language | server | start, ms | idle, MiB |",
        "|---|---|---|---|",
    ]
    lines += [f"| {_who(one)} | {one.start:.0f} | {one.idle / 2**20:.1f} |" for one in results]
    return "\n".join([*lines, ""])


def _title(load: Load) -> str:
    return f"{load.name}, {load.connections} connections"


def _who(one: Seen) -> str:
    name = one.contestant.name
    return f"{one.contestant.language} | {name + ' (bare)' if one.contestant.bare else name}"


def _cell(one: Seen, bare: Seen, load: str) -> str:
    found = one.loads[load]
    ratio = found["rate"] / bare.loads[load]["rate"]
    text = f"{found['rate']:,.0f} ({ratio:.2f}), {found['p50']:.1f} / {found['p99']:.1f} ms"
    text += f", {one.memory[load] / 2**20:.0f} MiB"
    if found["failed"]:
        text += f", **{found['failed']:.0f} failed**"
    return text


if __name__ == "__main__":
    sys.exit(main())
