"""The controller as a process of its own, outside of any cluster."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import yaml

from support.control_plane import ROOT
from support.forked import Fork
from support.processes import Handle, Process, free_ports
from support.waiting import wait_for

Object = dict[str, Any]
TABLE = yaml.safe_load((ROOT / "charts/kubeless/files/runtimes.yaml").read_text())
KAFKA = {
    "bootstrapServers": "kafka.kubeless:9092",
    "consumerImage": "localhost/kubeless/kafka-trigger:test",
}
# So patient that no load of the machine ends a lease.
PATIENT = {"durationSeconds": 60, "deadlineSeconds": 40, "periodSeconds": 0.5}
# For tests of what a controller leaves that is killed: it is soon free.
HASTY = {"durationSeconds": 3, "deadlineSeconds": 2.5, "periodSeconds": 0.2}
# So that tests need not wait for what comes by itself.
BRISK = {
    "recheckSeconds": 1,
    "payloadGraceSeconds": 1,
    "askingSeconds": 0.3,
    "passingSeconds": 1,
    "nudgeSeconds": 0.5,
}


class Controller:
    """The controller as a process that may be started again, as in one pod; its log tells what it wrote.

    ``options`` are laid over the configuration of ``settings``, and what ``configure`` changes over both.
    """

    def __init__(
        self, kubeconfig: Path, folder: Path, name: str = "controller", **options: Any
    ) -> None:
        self._kubeconfig = kubeconfig
        self._folder = folder
        self._name = name
        self._pod_uid = str(uuid.uuid4())
        self._config = folder / f"{name}.json"
        self._options = options
        self.configure()
        self.process: Process | None = None
        (self.port,) = free_ports(1)

    def configure(self, **options: Any) -> None:
        """Change its configuration, from its next start on."""
        self._config.write_text(json.dumps({**settings(), **self._options, **options}))

    def start(self) -> Process:
        """Start it and wait until it is ready, and working."""
        process = self.launch()
        wait_for(self.is_working, "the controller is the leader", 30)
        return process

    def launch(self) -> Process:
        """Start it and wait until it is ready: the leader, or waiting for its turn."""
        process = self.spawn()
        wait_for(self._is_ready, "the controller is ready", 30)
        return process

    def spawn(self) -> Process:
        """Start it without waiting for anything: the API server may be away."""
        log = self._folder / f"{self._name}.log"
        self._log_before = len(log.read_text()) if log.exists() else 0
        arguments = ["--config", self._config, "--kubeconfig", self._kubeconfig]
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        self.process = self._run(
            [*arguments, "--port", str(self.port)], {**environment, "POD_UID": self._pod_uid}
        )
        return self.process

    def end(self) -> None:
        """Stop it, if it runs."""
        if self.process is not None and self.process.running():
            self.process.resume()
            self.process.stop()

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self.process is not None:
            self.process.kill()

    def is_working(self) -> bool:
        """Say whether its workers have started."""
        assert self.process is not None
        assert self.process.running(), self.process.tail()
        return "workers start" in self.process.log.read_text()[self._log_before :]

    def settled(self, seconds: float = 0.5) -> bool:
        """Say whether no pass is made for so long, and none waits or goes on."""
        before = self.metric("controller_runtime_reconcile_total")
        time.sleep(seconds)
        return (
            self.metric("controller_runtime_reconcile_total") == before
            and self.metric("workqueue_depth") == 0
            and self.metric("controller_runtime_active_workers") == 0
        )

    def metric(self, name: str) -> float:
        """The sum of a metric's samples, by the start of their lines."""
        return sum(
            float(line.rpartition(" ")[2])
            for line in self._get("/metrics").splitlines()
            if line.startswith(name)
        )

    def writes(self) -> float:
        """Requests so far that asked the API server to change something."""
        return sum(
            float(line.rpartition(" ")[2])
            for line in self._get("/metrics").splitlines()
            if line.startswith("rest_client_requests_total")
            and any(f'method="{verb}"' in line for verb in ("POST", "PUT", "PATCH", "DELETE"))
        )

    def _run(self, arguments: list[str | Path], env: Mapping[str, str]) -> Process:
        program = [sys.executable, "-W", "error", "-m", "kubeless_controller"]
        return Process(self._name, [*program, *arguments], self._folder, env)

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.running(), self.process.tail()
        try:
            return self._get("/readyz") == "ok"
        except OSError:
            return False


class ForkedController(Controller):
    """One whose start is quick, for tests that start several; the program's own is that of the others."""

    def _run(self, arguments: list[str | Path], env: Mapping[str, str]) -> Process:
        return ForkedProcess(self._name, arguments, self._folder, env)


class ForkedProcess(Process):
    """The controller with these arguments, forked."""

    def _open(self, command: list[str], env: Mapping[str, str] | None, log: IO[bytes]) -> Handle:
        return Fork(command, env or {}, log.name)


def only_in(namespace: str, terms: Object = PATIENT) -> Object:
    """The options of a controller that works in one namespace only, beside others that work elsewhere."""
    return {"watchNamespaces": [namespace], "leaderElection": {**terms, "namespace": namespace}}


def settings() -> Object:
    """The controller's configuration, with the runtimes of the chart's own table."""
    return {
        "leaderElection": PATIENT,
        "pace": BRISK,
        "kafka": KAFKA,
        "prepareImage": "localhost/kubeless/python3.13:test",
        "runtimes": [
            {
                "id": row["id"],
                "image": f"localhost/kubeless/{row['image']}:test",
                "installImage": f"localhost/kubeless/{row['installImage']}:test",
                "suffix": row["suffix"],
                "dependencyFile": row["dependencyFile"],
                "aliases": row["aliases"],
            }
            for row in TABLE
        ],
    }
