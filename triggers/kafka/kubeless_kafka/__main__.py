"""The consumer of a KafkaTrigger, from its start to its end."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kubeless_kafka import logs, server
from kubeless_kafka.connection import AUTH_DIR, TLS_DIR
from kubeless_kafka.service import Options, Service

log = logging.getLogger("kubeless")

# Requests to brokers that block: a few for each function, most of them idle.
THREADS = 32
# Threads that poll Kafka hold the interpreter for microseconds; the event loop shall not wait 5 ms for them.
SWITCH_SECONDS = 0.001


def main() -> int:
    """Run until SIGTERM or SIGINT; returns the exit code."""
    arguments = _arguments()
    logs.configure()
    sys.setswitchinterval(SWITCH_SECONDS)
    # What lives from the start on need not be looked at again and again.
    gc.freeze()
    options = Options(
        config=arguments.config,
        auth_dir=arguments.auth_dir,
        tls_dir=arguments.tls_dir,
        pod=os.environ.get("POD_NAME") or socket.gethostname(),
        librdkafka=dict(arguments.librdkafka),
    )
    # Not asyncio.run: that waits for threads, of which one may be asking brokers that do not answer.
    return asyncio.new_event_loop().run_until_complete(_run(options, arguments.port))


async def _run(options: Options, port: int) -> int:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="kafka"))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    service = Service(options)
    try:
        runner = await server.start(service, port)
    except OSError as error:
        print(f"kubeless-kafka: port {port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    await service.run(stop)
    await runner.cleanup()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kubeless-kafka", description=__doc__)
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("/etc/kubeless/trigger/config.json"),
        help="the configuration that the controller writes (JSON)",
    )
    parser.add_argument(
        "--auth-dir", type=Path, default=AUTH_DIR, help="the folder with username and password"
    )
    parser.add_argument(
        "--tls-dir", type=Path, default=TLS_DIR, help="the folder with ca.crt, tls.crt and tls.key"
    )
    parser.add_argument("--port", type=int, default=8080, help="serve /status and /metrics here")
    parser.add_argument(
        "--librdkafka",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the Kafka consumers that goes before ours, for tests",
    )
    return parser.parse_args()


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=VALUE")
    return name, value


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # For the same reason.
    os._exit(code)
