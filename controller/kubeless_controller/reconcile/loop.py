"""Workers that take keys off the queue and have them reconciled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from kubeless_controller import metrics
from kubeless_controller.logs import Subject, about
from kubeless_kube.errors import ApiError, Conflict, Fenced, Unreachable
from kubeless_kube.workqueue import WorkQueue

log = logging.getLogger(__name__)

Key = tuple[str, str]


class Loop:
    """One kind's queue and the threads that work on it.

    * A pass that fails is tried again after a back-off of its key's own; others go on.
    * Nothing that a pass raises ends a worker.
    """

    def __init__(self, kind: str, reconcile: Callable[[Key], float | None], workers: int) -> None:
        self.queue: WorkQueue[Key] = WorkQueue(metrics=metrics.QueueMetrics(kind.lower()))
        metrics.watch_queue(kind.lower(), self.queue)
        metrics.workers.labels(kind).set(workers)
        self._kind = kind
        self._reconcile = reconcile
        self._threads = [
            threading.Thread(target=self._run, name=f"{kind.lower()}-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float) -> bool:
        """End the workers; says whether all finished what they were at within ``seconds``."""
        self.queue.shut_down()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (key := self.queue.get()) is not None:
            with (
                about(Subject(self._kind, *key)),
                metrics.active_workers.labels(self._kind).track_inprogress(),
            ):
                self._work_on(key)

    def _work_on(self, key: Key) -> None:
        started = time.monotonic()
        try:
            again = self._reconcile(key)
        except Fenced as error:
            # The next leader begins with everything.
            log.info("left to the next leader: %s", error)
        except Exception as error:  # noqa: BLE001 - one key must not end the worker of all others
            self._failed(key, error)
        else:
            self.queue.forget(key)
            if again is not None:
                self.queue.add_after(key, again)
            result = "success" if again is None else "requeue_after"
            metrics.reconcile_total.labels(self._kind, result).inc()
        finally:
            metrics.reconcile_seconds.labels(self._kind).observe(time.monotonic() - started)
            self.queue.done(key)

    def _failed(self, key: Key, error: Exception) -> None:
        delay = self.queue.retry(key)
        metrics.reconcile_total.labels(self._kind, "error").inc()
        metrics.reconcile_errors.labels(self._kind).inc()
        if isinstance(error, Conflict):
            log.info("changed meanwhile, again in %.2f s: %s", delay, error)
        elif isinstance(error, ApiError | Unreachable):
            log.warning("again in %.2f s: %s", delay, error)
        else:
            log.error("again in %.2f s", delay, exc_info=error)
