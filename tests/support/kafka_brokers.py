"""Brokers in pods of the local cluster, by the product's own chart, in a namespace of a test's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import PODS
from support import kafka
from support.pod_kill import container_pids, kill_pod
from support.waiting import wait_for

Object = dict[str, Any]
DATA = "var/lib/kafka/data"
RELEASE = "kafka"
#: A consumer that died is missed after 6 s instead of 45: what tests wait for is what comes then.
SHORT_SESSIONS = {
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
}


@dataclass(frozen=True)
class Brokers:
    """The release ``kafka`` of a namespace; brokers are called by their numbers, from 0."""

    client: Client
    namespace: str

    @property
    def bootstrap(self) -> str:
        """Where clients in pods begin."""
        return f"kafka.{self.namespace}.svc:9092"

    @property
    def selector(self) -> dict[str, str]:
        """The labels of the brokers' pods."""
        return {
            "app.kubernetes.io/instance": RELEASE,
            "app.kubernetes.io/component": "broker",
        }

    def kill(self, number: int) -> None:
        """Kill -9 a broker, and wait until its pod is ready again: in sync with all that it has."""
        name = f"kafka-{number}"
        before = self._restarts(name)
        assert kill_pod(self.client, self.namespace, name), f"{name} does not run"
        wait_for(lambda: self._restarts(name) > before, f"{name} is started again", 120, pause=0.2)
        wait_for(lambda: self._ready(name), f"{name} is ready again", 120, pause=0.2)

    def segments(self, topic: str, number: int = 0) -> list[Path]:
        """The files of a topic on a broker's disk, seen from this host."""
        (pid, *_) = container_pids(self.client.get(PODS, self.namespace, f"kafka-{number}"))
        return sorted(Path(f"/proc/{pid}/root/{DATA}").glob(f"{topic}-*/*.log"))

    def _restarts(self, name: str) -> int:
        found: int = self._container(name)["restartCount"]
        return found

    def _ready(self, name: str) -> bool:
        found: bool = self._container(name)["ready"]
        return found

    def _container(self, name: str) -> Object:
        pod = self.client.get(PODS, self.namespace, name)
        found: Object = pod["status"]["containerStatuses"][0]
        return found


def brokers_in(
    client: Client,
    environment: Mapping[str, str],
    namespace: str,
    *,
    replicas: int,
    **values: Any,
) -> Brokers:
    """Install the chart, with its records in the pods, and wait until all brokers are ready.

    ``values`` are laid over the chart's.
    """
    wanted = {"replicas": replicas, "config": SHORT_SESSIONS, **values}
    kafka.install(environment, namespace, wanted)
    return Brokers(client, namespace)
