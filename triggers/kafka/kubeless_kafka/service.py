"""Keeps a worker for each function of the configuration, which it follows as it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from kubeless_kafka import connection, delivery, status
from kubeless_kafka.brokers import Brokers
from kubeless_kafka.config import Config, ConfigError, Function, load
from kubeless_kafka.connection import Settings
from kubeless_kafka.problems import Problem, problem
from kubeless_kafka.producer import Producer
from kubeless_kafka.starter import Starter
from kubeless_kafka.worker import Worker

log = logging.getLogger("kubeless")

LOOK_SECONDS = 0.5
# A function that is taken out, or whose connection changes, is given this long for what it has.
HANDOVER_SECONDS = 10.0
# What the controller gives the pod beyond the longest function's timeout is for commits and leaving groups.
DRAIN_MARGIN_SECONDS = 1.0
STUCK_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    config: Path
    auth_dir: Path
    tls_dir: Path
    pod: str
    # For tests: settings of the Kafka consumers that go before ours.
    librdkafka: Settings


class Service:
    """The consumer of one trigger."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._config: Config | None = None
        self._fingerprint = ""
        self._problem: Problem | None = None
        self._seen: tuple[Any, ...] = ()
        self._client: ClientSession = delivery.session()
        self._producer: Producer | None = None
        self._brokers: Brokers | None = None
        self._workers: dict[tuple[str, str], Worker] = {}
        self._draining = False
        # Topics that this process saw missing.
        self._missing: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the configuration until ``stop`` is set, then drain."""
        while not stop.is_set():
            try:
                await self._look()
            except Exception:
                # Whatever it was, what is there goes on.
                log.exception("the configuration could not be followed")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        self._draining = True
        seconds = max((one.function.timeout for one in self._workers.values()), default=0.0)
        log.info("draining")
        await self._end(list(self._workers), seconds + DRAIN_MARGIN_SECONDS)
        await self._end_producer()
        await self._client.close()
        log.info("drained")

    # What is asked over HTTP.

    @property
    def stuck(self) -> str:
        """What does not move, or ''."""
        for worker in self._workers.values():
            seconds = time.monotonic() - worker.poller.moved
            if worker.poller.running and seconds > STUCK_SECONDS:
                return f"the polling of {worker.function.name} has not moved for {seconds:.0f} s"
        return ""

    @property
    def unready(self) -> str:
        """What keeps it from being ready, or ''."""
        if self._config is None:
            return "no configuration" if self._problem is None else self._problem.message
        return ""

    def status(self) -> dict[str, Any]:
        """The document of /status."""
        return status.document(
            pod=self._options.pod,
            config_hash=self._config.hash if self._config else "",
            state=self._state,
            problem=self._problem,
            topic_missing=self._config is not None
            and (self._config.topic in self._missing or self._is_missing(self._config.topic)),
            workers=list(self._workers.values()),
        )

    def report(self) -> None:
        """Bring the gauges up to date."""
        for worker in self._workers.values():
            worker.report()

    @property
    def _state(self) -> str:
        if self._draining:
            return "Draining"
        if self._config is None:
            return "Starting"
        return "Paused" if self._config.paused else "Running"

    def _is_missing(self, topic: str) -> bool:
        # Workers of the topic before may still be at their end.
        return any(
            one.starter.topic_was_missing and one.config.topic == topic
            for one in self._workers.values()
        )

    # Following the configuration.

    async def _look(self) -> None:
        fingerprint = connection.fingerprint(self._options.auth_dir, self._options.tls_dir)
        seen = (_identity(self._options.config), fingerprint)
        if seen == self._seen:
            return
        try:
            config = load(self._options.config)
        except ConfigError as error:
            # The last good one goes on.
            self._problem = problem("ConfigInvalid", str(error))
            self._seen = seen
            log.error("%s", error)
            return
        self._problem = None
        await self._apply(config, fingerprint)
        self._seen = seen

    async def _apply(self, config: Config, fingerprint: str) -> None:
        old = self._config
        if old is not None and self._is_missing(old.topic):
            self._missing.add(old.topic)
        anew = old is not None and (
            _connected(old) != _connected(config) or fingerprint != self._fingerprint
        )
        self._config, self._fingerprint = config, fingerprint
        wanted = {(one.name, one.group): one for one in config.functions}
        gone = [key for key in self._workers if anew or key not in wanted]
        if gone:
            await self._end(gone, HANDOVER_SECONDS)
        if anew:
            await self._end_producer()
        if self._producer is None or self._brokers is None:
            settings = self._settings(config)
            self._brokers = Brokers(settings)
            self._producer = Producer(settings, self._brokers, asyncio.get_running_loop())
        for key, function in wanted.items():
            worker = self._workers.get(key)
            if worker is None:
                self._workers[key] = self._begin(function, config, self._producer, self._brokers)
            else:
                worker.configure(function, config)
        log.info(
            "configuration %s: topic %s, functions: %s",
            config.hash,
            config.topic,
            ", ".join(one.name for one in config.functions) or "none",
        )

    def _begin(
        self, function: Function, config: Config, producer: Producer, brokers: Brokers
    ) -> Worker:
        starter = Starter(config.topic, config.start_offset, self._options.librdkafka)
        starter.topic_was_missing = config.topic in self._missing
        worker = Worker(
            function, config, self._client, producer, brokers, self._settings(config), starter
        )
        worker.start()
        return worker

    def _settings(self, config: Config) -> _Connection:
        return _Connection(config, self._options)

    async def _end(self, keys: list[tuple[str, str]], seconds: float) -> None:
        await asyncio.gather(*(self._workers[key].drain(seconds) for key in keys))
        for key in keys:
            del self._workers[key]

    async def _end_producer(self) -> None:
        if self._producer is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._producer.stop)
            self._producer = self._brokers = None


class _Connection:
    """Gives the connection's settings, with the credentials as they are now."""

    def __init__(self, config: Config, options: Options) -> None:
        self._config = config
        self._options = options

    def __call__(self) -> Settings:
        return connection.client_settings(
            self._config.bootstrap_servers,
            self._config.security,
            auth_dir=self._options.auth_dir,
            tls_dir=self._options.tls_dir,
            client_id=self._options.pod,
        )


def _connected(config: Config) -> tuple[Any, ...]:
    """What needs new clients when it changes."""
    return config.bootstrap_servers, config.security, config.topic, config.start_offset


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when the file is replaced or written."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size
