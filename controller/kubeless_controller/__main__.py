"""The controller, from its start to its end."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from kubeless_controller import logs, metrics
from kubeless_controller.probes import Probes
from kubeless_controller.reconcile.function import (
    Caches,
    FunctionReconciler,
    caches,
    function_of,
)
from kubeless_controller.reconcile.loop import Loop
from kubeless_controller.settings import Settings, SettingsError, load
from kubeless_kube.client import Client
from kubeless_kube.errors import ConfigError
from kubeless_kube.informer import key_of

log = logging.getLogger("kubeless")

# A pass takes milliseconds, and seconds when the API server is slow; after this long it is stuck.
STUCK_SECONDS = 180.0
STOP_SECONDS = 10.0


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    arguments = _arguments()
    try:
        settings = load(arguments.config)
        logs.configure(settings.log_format)
        client = Client.from_kubeconfig(
            arguments.kubeconfig,
            user_agent="kubeless-controller/0.1.0",
            connections=settings.workers + 16,
            on_request=metrics.count_request,
        )
    except (SettingsError, ConfigError) as error:
        print(f"kubeless-controller: {error}", file=sys.stderr)
        return 1

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    world = caches(client)
    loop = _loop(client, world, settings)
    synced = threading.Event()
    port = arguments.port if arguments.port is not None else settings.port
    try:
        probes = Probes(
            port,
            alive=lambda: _stuck(loop),
            ready=lambda: "" if synced.is_set() else "the caches are not filled yet",
        )
    except OSError as error:
        print(f"kubeless-controller: port {port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    probes.start()
    for informer in world.all():
        informer.start()
    log.info("following the cluster at %s", client.host)
    if _wait_for_caches(world, stop):
        synced.set()
        log.info("caches filled, %d workers start", settings.workers)
        loop.start()
        stop.wait()

    log.info("stopping")
    finished = loop.stop(STOP_SECONDS)
    probes.stop()
    log.info("stopped%s", "" if finished else ", with work unfinished")
    return 0


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


def _loop(client: Client, world: Caches, settings: Settings) -> Loop:
    """The loop over one set of caches; every change of a child brings its Function up."""
    reconciler = FunctionReconciler(client, world, settings)
    loop = Loop("Function", reconciler.reconcile, settings.workers)
    world.functions.on_change(lambda obj: loop.queue.add(key_of(obj)))
    for informer in world.all()[1:]:
        informer.on_change(lambda obj: loop.queue.add(function_of(obj)))
    return loop


def _wait_for_caches(world: Caches, stop: threading.Event) -> bool:
    """Wait until everything is in the caches; False when told to stop before."""
    for informer in world.all():
        while not informer.synced.wait(0.05):
            if stop.is_set():
                return False
    return True


def _stuck(loop: Loop) -> str:
    seconds = loop.queue.longest_work()
    return f"a pass has been going on for {seconds:.0f} s" if seconds > STUCK_SECONDS else ""


if __name__ == "__main__":
    sys.exit(main())
