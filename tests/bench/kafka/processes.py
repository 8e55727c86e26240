"""What is measured, as processes of this machine, and what they used."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.control_plane import ROOT
from support.kafka_consumer import configuration, function_entry
from support.processes import Process, free_ports
from support.waiting import wait_for

TICKS = os.sysconf("SC_CLK_TCK")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}


def python(name: str, folder: Path, *arguments: str) -> Process:
    """Start a Python module."""
    return Process(name, [sys.executable, "-m", *arguments], folder, ENVIRONMENT)


def cpu(process: Process) -> float:
    """Processor seconds that it has used, all its threads together."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process: Process) -> tuple[float, float]:
    """Resident and proportional memory in MiB."""
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return found["Rss"], found["Pss"]


@dataclass
class Function:
    """The function as a process; ``records`` and ``latencies`` are what came in until it was last asked."""

    folder: Path
    records: int = 0
    latencies: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.port,) = free_ports(1)
        self.process = python("function", self.folder, "bench.kafka.function", str(self.port))
        wait_for(self._asked, "the function answers")

    @property
    def url(self) -> str:
        """Where records go."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self) -> int:
        """How many records came in until now."""
        assert self._asked(), self.process.tail()
        return self.records

    def reset(self) -> None:
        """Count anew."""
        self.ask()
        self.records, self.latencies = 0, []

    def _asked(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            found = json.loads(connection.getresponse().read())
        except OSError:
            return False
        finally:
            connection.close()
        self.records += found["records"]
        self.latencies += found["latencies"]
        return True


def consumer(folder: Path, bootstrap: str, topic: str, url: str, **config: Any) -> Process:
    """Start the consumer, from the start of a topic."""
    (port,) = free_ports(1)
    entry = function_entry("bench", url, topic)
    wanted = configuration(bootstrap, topic, [entry], **config)
    file = folder / f"{topic}.json"
    file.write_text(json.dumps({"version": 1, "hash": topic, **wanted}))
    options = ["--config", str(file), "--port", str(port)]
    return python(f"consumer-{topic}", folder, "kubeless_kafka", *options)


def plain(folder: Path, bootstrap: str, topic: str, url: str, batch: int) -> Process:
    """Start the plain loop, from the start of a topic."""
    arguments = [bootstrap, topic, f"{url}/", str(batch)]
    return python(f"plain-{topic}", folder, "bench.kafka.plain", *arguments)


@dataclass(frozen=True)
class Rate:
    """Records a second, and for each second of processor time."""

    wall: float
    core: float


def rate(process: Process, function: Function, count: int, seconds: float = 180) -> Rate:
    """Measure the middle of a run over ``count`` records: what a start and an end cost is left out."""

    def reached(part: float) -> tuple[int, float, float]:
        def look() -> bool:
            assert process.running(), process.tail()
            return function.ask() >= part * count

        wait_for(look, f"{part:.0%} of {count} records", seconds)
        return function.records, time.monotonic(), cpu(process)

    first, last = reached(0.1), reached(0.9)
    records, elapsed, used = (end - begin for begin, end in zip(first, last, strict=True))
    return Rate(records / elapsed, records / used)


def end(processes: Sequence[Process]) -> None:
    """End them all."""
    for process in processes:
        process.stop()
