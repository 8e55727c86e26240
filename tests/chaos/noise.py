"""What happens to everybody during a run: kills, restarts of brokers, another number of consumers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Unreachable
from support.pod_kill import kill_pod

Object = dict[str, Any]


class Noise:
    """Threads that disturb until ``stop``; ``disturbances`` are the times of all that may cost repetitions.

    A kill counts from before the signal: what is repeated for it comes later.
    """

    def __init__(self, client: Client, namespace: str, seed: int) -> None:
        self.disturbances: list[float] = []
        self.kills = {"consumer": 0, "function": 0}
        self.errors: list[str] = []
        self._client = client
        self._namespace = namespace
        self._chance = random.Random(seed)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def kill(self, kind: str, pods: Callable[[], list[Object]], seconds: float) -> None:
        """Kill -9 a pod of this kind, again and again, about every ``seconds``."""

        def once() -> None:
            pause = self._chance.uniform(0.7, 1.3) * seconds
            if self._stopped.wait(pause):
                return
            running = [pod for pod in pods() if _runs(pod)]
            if not running:
                return
            pod = self._chance.choice(running)
            again = pod["status"]["containerStatuses"][0]["restartCount"] > 0
            self.disturb()
            # The kubelet starts the second time only after a pause: a new pod is sooner there.
            if kill_pod(self._client, self._namespace, pod["metadata"]["name"], remove=again):
                self.kills[kind] += 1

        self._repeat(once)

    def do(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something once, after some seconds; it is a disturbance when it begins and when it is over."""

        def later() -> None:
            if self._stopped.wait(seconds):
                return
            self.disturb()
            action()
            self.disturb()

        self._start(later)

    def disturb(self) -> None:
        """Note that something happens now."""
        self.disturbances.append(time.time())

    def stop(self) -> None:
        """No more; waits for what is going on."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, once: Callable[[], None]) -> None:
        def loop() -> None:
            while not self._stopped.is_set():
                try:
                    once()
                except (ApiError, Unreachable):
                    # Whom it was to hit was gone already.
                    continue

        self._start(loop)

    def _start(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.errors.append(repr(error))

        thread = threading.Thread(target=guarded, daemon=True)
        self._threads.append(thread)
        thread.start()


def _runs(pod: Object) -> bool:
    states = pod["status"].get("containerStatuses") or [{}]
    return bool(states[0].get("ready"))
