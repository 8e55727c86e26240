"""The controller, from its start to its end."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from kubeless_api import names
from kubeless_controller import logs, metrics
from kubeless_controller.probes import Probes
from kubeless_controller.reconcile.caches import Caches, caches, function_of
from kubeless_controller.reconcile.claims import Claims
from kubeless_controller.reconcile.consumers import Consumers
from kubeless_controller.reconcile.cronjob_caches import cronjob_caches, cronjob_trigger_of
from kubeless_controller.reconcile.cronjob_trigger import CronJobTriggerReconciler
from kubeless_controller.reconcile.function import FunctionReconciler
from kubeless_controller.reconcile.http_trigger import (
    HTTPTriggerReconciler,
    http_caches,
    trigger_of,
)
from kubeless_controller.reconcile.informers import Informers
from kubeless_controller.reconcile.kafka_caches import kafka_caches, kafka_trigger_of
from kubeless_controller.reconcile.kafka_trigger import KafkaTriggerReconciler
from kubeless_controller.reconcile.loop import Loop
from kubeless_controller.reconcile.subscriptions import Subscriptions
from kubeless_controller.settings import LeaderElection, Settings, SettingsError, load
from kubeless_kube.client import Client
from kubeless_kube.errors import ConfigError
from kubeless_kube.events import EventRecorder
from kubeless_kube.informer import key_of
from kubeless_kube.lease import Lease, Terms

log = logging.getLogger("kubeless")

USER_AGENT = "kubeless-controller/0.1.0"
# A pass takes milliseconds, and seconds when the API server is slow; after this long it is stuck.
STUCK_SECONDS = 180.0
STOP_SECONDS = 10.0
# Triggers are few beside Functions, and each asks for little.
TRIGGER_WORKERS = 2
# Each waits for one pod at a time, and one that does not answer holds it up for two seconds.
ASKING_WORKERS = 8
EVENTS_SECONDS = 1.0
# Workers mostly wait for answers: one that has its answer shall not wait 5 ms (Python's default) for the others' thinking.
SWITCH_SECONDS = 0.0005


def main() -> int:
    """Run until SIGTERM or SIGINT, or until the lease is lost; returns the exit code."""
    sys.setswitchinterval(SWITCH_SECONDS)
    arguments = _arguments()
    identity = _identity()
    try:
        settings = load(arguments.config)
        logs.configure(settings.log_format)
        lease = _lease(arguments.kubeconfig, settings.leader_election, identity)
        client = _client(
            arguments.kubeconfig,
            connections=settings.workers + 32,
            on_request=metrics.count_request,
            fence=lease.held if lease else None,
        )
    except (SettingsError, ConfigError) as error:
        print(f"kubeless-controller: {error}", file=sys.stderr)
        return 1

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    informers = Informers(client, settings.watch_namespaces)
    events = EventRecorder(
        client, names.FIELD_MANAGER, identity, on_drop=metrics.events_dropped.inc
    )
    world = caches(informers)
    loops = [
        _functions(client, world, settings, events),
        _http_triggers(client, informers, world, settings, events),
        _cronjob_triggers(client, informers, world, settings, events),
        *_kafka_triggers(client, informers, world, settings, events),
    ]
    synced = threading.Event()
    port = arguments.port if arguments.port is not None else settings.port
    try:
        probes = Probes(
            port,
            alive=lambda: _stuck(loops),
            ready=lambda: "" if synced.is_set() else "the caches are not filled yet",
        )
    except OSError as error:
        print(f"kubeless-controller: port {port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    probes.start()
    for informer in informers.all():
        informer.start()
    log.info("following the cluster at %s", client.host)

    # A replica that waits for the lease is ready too: its caches are warm when its turn comes.
    if _wait_for_caches(informers, stop):
        synced.set()
        log.info("caches filled")
        if lease is None or lease.acquire(stop):
            log.info("%d workers start", settings.workers)
            events.start()
            for loop in loops:
                loop.start()
            _wait_for_end(stop, lease)

    log.info("stopping")
    deadline = time.monotonic() + STOP_SECONDS
    for loop in loops:
        loop.queue.shut_down()
    unfinished = [loop for loop in loops if not loop.stop(deadline - time.monotonic())]
    events.stop(EVENTS_SECONDS)
    if lease is not None:
        lease.release()
    probes.stop()
    log.info("stopped%s", ", with work unfinished" if unfinished else "")
    return 1 if lease is not None and lease.lost.is_set() else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kubeless-controller", description=__doc__)
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("/etc/kubeless/config.json"),
        help="the configuration that the chart renders (JSON)",
    )
    parser.add_argument(
        "--kubeconfig",
        help="reach the cluster by this file (default: $KUBECONFIG, ~/.kube/config, the pod's account)",
    )
    parser.add_argument("--port", type=int, help="serve probes and metrics here instead")
    return parser.parse_args()


def _identity() -> str:
    """Who this is to other replicas.

    A container that is started again in its pod has its predecessor's name: that has ended, and what it held need not
    be waited for.
    """
    host = os.environ.get("HOSTNAME") or socket.gethostname()
    return f"{host}_{os.environ.get('POD_UID') or uuid.uuid4().hex[:8]}"


def _client(kubeconfig: str | None, **options: Any) -> Client:
    return Client.from_kubeconfig(kubeconfig, user_agent=USER_AGENT, **options)


def _lease(kubeconfig: str | None, settings: LeaderElection, identity: str) -> Lease | None:
    """The lease to hold, over connections of its own: no load of work may keep it from being renewed.

    Its requests are not counted: they say nothing about the work.
    """
    if not settings.enabled:
        return None
    client = _client(kubeconfig, connections=2, timeout=settings.deadline / 2)
    terms = Terms(settings.duration, settings.deadline, settings.period)
    lease = Lease(client, settings.namespace or client.namespace, settings.name, identity, terms)
    metrics.watch_leader(settings.name, lease.held)
    return lease


def _functions(client: Client, world: Caches, settings: Settings, events: EventRecorder) -> Loop:
    """The loop over Functions; every change of a child brings its Function up."""
    metrics.inventory.add("Function", world.functions.all)
    reconciler = FunctionReconciler(client, world, settings, events)
    loop = Loop("Function", reconciler.reconcile, settings.workers)
    world.functions.on_change(lambda obj: loop.queue.add(key_of(obj)))
    for informer in world.children():
        informer.on_change(lambda obj: loop.queue.add(function_of(obj)))
    # The trigger of a Function that has a schedule or a topic is named like it.
    for triggers in (world.cronjob_triggers, world.kafka_triggers):
        triggers.on_change(lambda obj: loop.queue.add(key_of(obj)), writes=True)
    return loop


def _http_triggers(
    client: Client, informers: Informers, world: Caches, settings: Settings, events: EventRecorder
) -> Loop:
    """The loop over HTTPTriggers; what they own, their function and those on the same host bring them up."""
    own = http_caches(informers)
    metrics.inventory.add("HTTPTrigger", own.triggers.all)
    claims = Claims(settings.http)
    reconciler = HTTPTriggerReconciler(client, world, own, claims, settings, events)
    loop = Loop("HTTPTrigger", reconciler.reconcile, TRIGGER_WORKERS)

    def changed(obj: dict[str, Any]) -> None:
        key = key_of(obj)
        for other in claims.update(key, own.triggers.get(*key)):
            loop.queue.add(other)
        loop.queue.add(key)

    def function_changed(key: tuple[str, str]) -> None:
        for trigger in own.triggers.in_group(key):
            loop.queue.add(key_of(trigger))

    own.triggers.on_change(changed)
    for informer in own.children():
        informer.on_change(lambda obj: loop.queue.add(trigger_of(obj)))
    world.functions.on_change(lambda obj: function_changed(key_of(obj)))
    # The loop of Functions makes it.
    world.services.on_change(lambda obj: function_changed(function_of(obj)), writes=True)
    return loop


def _cronjob_triggers(
    client: Client, informers: Informers, world: Caches, settings: Settings, events: EventRecorder
) -> Loop:
    """The loop over CronJobTriggers; what they own, and the function that they call, bring them up."""
    own = cronjob_caches(informers)
    metrics.inventory.add("CronJobTrigger", world.cronjob_triggers.all)
    reconciler = CronJobTriggerReconciler(client, world, own, settings, events)
    loop = Loop("CronJobTrigger", reconciler.reconcile, TRIGGER_WORKERS)
    world.cronjob_triggers.on_change(lambda obj: loop.queue.add(key_of(obj)), writes=True)
    for informer in own.children():
        informer.on_change(lambda obj: loop.queue.add(cronjob_trigger_of(obj)))

    def called(function: dict[str, Any]) -> None:
        for trigger in world.cronjob_triggers.in_group(key_of(function)):
            loop.queue.add(key_of(trigger))

    world.functions.on_change(called)
    return loop


def _kafka_triggers(
    client: Client, informers: Informers, world: Caches, settings: Settings, events: EventRecorder
) -> tuple[Loop, Loop]:
    """The loop over KafkaTriggers, and the one that asks their pods, whose answers bring them up."""
    own = kafka_caches(informers)
    metrics.inventory.add("KafkaTrigger", world.kafka_triggers.all)
    consumers = Consumers(own.pods, settings.pace)
    reconciler = KafkaTriggerReconciler(client, world, own, consumers, settings, events)
    loop = Loop("KafkaTrigger", reconciler.reconcile, TRIGGER_WORKERS)
    consumers.on_news(loop.queue.add)
    asking = Loop("KafkaConsumer", consumers.poll, ASKING_WORKERS)
    world.kafka_triggers.on_change(lambda obj: loop.queue.add(key_of(obj)), writes=True)
    for informer in own.children():
        informer.on_change(lambda obj: loop.queue.add(kafka_trigger_of(obj)))
    own.pods.on_change(lambda obj: asking.queue.add(key_of(obj)))
    subscriptions = Subscriptions(world.functions, world.kafka_triggers)

    def called(function: dict[str, Any]) -> None:
        for trigger in subscriptions.concerned(key_of(function)):
            loop.queue.add(trigger)

    world.functions.on_change(called)
    return loop, asking


def _wait_for_caches(informers: Informers, stop: threading.Event) -> bool:
    """Wait until everything is in the caches; False when told to stop before."""
    for informer in informers.all():
        while not informer.wait_until_synced(0.05):
            if stop.is_set():
                return False
    return True


def _wait_for_end(stop: threading.Event, lease: Lease | None) -> None:
    """Wait for the order to stop, or for the loss of the lease, which is one."""
    if lease is None:
        stop.wait()
        return
    while not lease.lost.is_set() and not stop.wait(0.1):
        pass


def _stuck(loops: list[Loop]) -> str:
    seconds = max(loop.queue.longest_work() for loop in loops)
    return f"a pass has been going on for {seconds:.0f} s" if seconds > STUCK_SECONDS else ""


if __name__ == "__main__":
    sys.exit(main())
