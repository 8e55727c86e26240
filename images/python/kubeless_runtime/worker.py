"""One worker process: load the function, serve it, stop.

granian's extension module is used without its Python package: that would import
asyncio, multiprocessing, ssl and logging configuration, 10 MiB that no call needs.
What is used of it is pinned by hash and covered by this folder's tests: a socket by
its descriptor, and an ASGI worker whose application is a plain function that runs on
granian's threads. Its WSGI worker is a little faster, but hands on what has arrived of
a broken body as if it were the whole, and can't cut off an answer.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import threading
import time
import types
from typing import Any

from kubeless_runtime import loader
from kubeless_runtime.app import App
from kubeless_runtime.board import READY, RETIRE, Board, Region
from kubeless_runtime.config import SLOTS, Config
from kubeless_runtime.futures import Callbacks

#: Pool threads beyond the slots: probes and refusals are answered when every slot is taken.
_SPARE_THREADS = 24

#: Seconds an idle pool thread stays.
_THREAD_IDLE = 30

_BACKLOG = 2048

#: Seconds in which the request of a connection that was just accepted is read.
_ARRIVING = 0.1
_MAX_CONNECTIONS = 65536

#: Bytes of stack of a pool thread: what CPython assumes of the main thread.
_STACK = 8 * 1024 * 1024


class Http1Settings:
    """What granian's worker reads of its HTTP/1 settings. Time in milliseconds, size in bytes."""

    header_read_timeout = 30_000
    keep_alive = True
    max_buffer_size = 8192 + 4096 * 100
    pipeline_flush = False


def run(config: Config, board: Board, region: Region, listener: int, wake: int, parent: int) -> int:
    """Serve until SIGTERM; the exit code. ``wake`` and ``parent`` are pipe ends."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
    granian = _granian()
    loader.set_path(config.volume)
    try:
        handler = loader.load(config)
    except loader.LoadError as error:
        loader.report(error, config.termination_log)
        return 1

    def retire(reason: str) -> None:
        print(f"kubeless: {reason}; this process is replaced", file=sys.stderr, flush=True)
        region.flags[RETIRE] = 1.0
        os.write(wake, b"r")

    app = App(config, handler, board, region, retire)
    threading.Thread(target=app.calls.watch, args=(parent,), name="watchdog", daemon=True).start()
    finished = threading.Event()
    stopper = granian.WorkerSignal()
    stopper.add_cb(finished.set)
    os.environ["RUST_MIN_STACK"] = str(_STACK)
    callbacks = Callbacks()
    scheduler = granian.CallbackScheduler(callbacks, app, None, None, None)
    scheduler._schedule_fn = app
    worker = granian.ASGIWorker(
        1, (None, granian.SocketHolder(listener, False, _BACKLOG)), None, 1, 2,
        SLOTS + _SPARE_THREADS, _THREAD_IDLE, _MAX_CONNECTIONS, "1", Http1Settings(), None, False,
        None, False, None, None, None, "tls1.3", None, [], False, (None, None),
    )  # fmt: skip
    gc.collect()
    gc.freeze()  # what start-up made stays: keep the collector off it
    worker.serve_str(scheduler, callbacks, stopper)
    del os.environ["RUST_MIN_STACK"]  # read when the first thread began
    region.flags[READY] = 1.0
    os.write(wake, b"+")
    if app.wants_request():
        app.prepare_flask()
    _wait(stop)
    _stop_accepting(listener)
    time.sleep(_ARRIVING)
    stopper.set()  # close idle connections, finish what runs
    while not finished.wait(0.05):
        if not app.calls.running and finished.wait(0.3):
            break
        if not app.calls.running:
            break  # only stuck calls are left, and their answers are out
    app.finish()
    return 0


def _wait(stop: threading.Event) -> None:
    """Wait for a signal whose handler sets ``stop``.

    Waiting for the event itself would miss a signal that comes just before the thread
    sleeps: its handler runs when the thread is next awake. A byte in a pipe is not missed.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    while not stop.is_set():
        os.read(read, 64)


def _stop_accepting(listener: int) -> None:
    """Take the listening socket out of the server's event loop; others go on accepting from it.

    granian's own stop closes connections whose request it has not read yet, also
    one that it accepted a moment before. Without new ones, that moment passes.
    """
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[eventpoll]":
                # A copy of the descriptor, so that closing it here leaves the event loop its own.
                with select.epoll.fromfd(os.dup(int(name))) as loop:
                    loop.unregister(listener)


def _granian() -> Any:
    """granian's extension module, without running its package."""
    folder = os.path.join(loader.PACKAGES, "granian")
    if not os.path.isdir(folder):  # not in the image: an ordinary installation
        from importlib.util import find_spec

        spec = find_spec("granian")
        if spec is None or not spec.submodule_search_locations:
            raise ImportError("granian is not installed")
        folder = spec.submodule_search_locations[0]
    package = types.ModuleType("granian")
    package.__path__ = [folder]
    sys.modules["granian"] = package
    from granian import _granian

    return _granian
