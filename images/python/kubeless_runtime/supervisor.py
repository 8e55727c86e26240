"""Process 1: owns the socket, forks workers, replaces them, drains.

It imports neither the function nor its libraries, so nothing a function does can
block it, and a fork of it is cheap.

- A worker that asks to retire goes on until a fresh one is ready (at once when the
  concurrency is limited), takes nothing new, finishes, and is killed when it does not.
- A worker whose watchdog lets a deadline pass is held by native code: it is killed, when it
  had the time to do otherwise (OwnTime).
- A worker that dies is replaced; when that keeps happening, the server exits 1.
- SIGTERM: unready, accept for the drain delay, stop accepting, finish, exit 0.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field

from kubeless_runtime.board import READY, RETIRE, Board, Region
from kubeless_runtime.config import Config
from kubeless_runtime.own_time import OwnTime

#: Seconds past a deadline until a worker counts as held by native code.
HELD = 1.0

#: Seconds between looks at a worker that lets a deadline pass.
LOOK = 0.05

#: Retiring workers kept beside the serving ones; the oldest goes first.
MAX_RETIRING = 2

#: More unexpected deaths than this within the window (seconds) end the server.
MAX_DEATHS = 5
DEATH_WINDOW = 30.0

_REGIONS_SPARE = MAX_RETIRING + 2


@dataclass
class Worker:
    """What the supervisor knows of one worker. Times of the monotonic clock."""

    pid: int
    region: Region
    retiring_since: float = 0.0
    successor: int = 0
    stopped: bool = False
    #: The time that it had since it was seen to let a deadline pass.
    overdue: OwnTime | None = None
    was_ready: bool = False
    killed: bool = field(default=False)


class Supervisor:
    """The life of the server."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self._config = config
        self._listener = listener
        self._board = Board(config.workers * 2 + _REGIONS_SPARE)
        self._workers: dict[int, Worker] = {}
        self._deaths: list[float] = []
        self._drain_until = 0.0
        self._stop_until = 0.0
        self._exit_code = 0
        self._wake_read, self._wake_write = os.pipe()
        self._life_read, self._life_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def run(self) -> int:
        """Serve until told to stop; the exit code."""
        sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for _ in range(self._config.workers):
            self._fork()
        while self._workers:
            select.select([self._wake_read], [], [], self._until_next())
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
            self._reap()
            self._retire()
            self._kill_overdue()
            self._drain()
        return self._exit_code

    def _on_stop(self, number: int, frame: object) -> None:
        if not self._drain_until:
            name = signal.Signals(number).name
            delay = self._config.drain_delay
            _say(f"{name}: not ready any more, accepting for {delay:g} s")
            self._board.draining = True
            self._drain_until = time.monotonic() + delay

    def _fork(self) -> int:
        used = {worker.region.index for worker in self._workers.values()}
        region = next(r for r in self._board.regions if r.index not in used)
        region.reset()
        pid = os.fork()
        if pid:
            self._workers[pid] = Worker(pid, region)
            return pid
        code = 1
        try:
            os.setpgid(0, 0)  # so that what a handler started goes with its worker
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._wake_read)
            os.close(self._life_write)
            from kubeless_runtime import worker

            code = worker.run(
                self._config,
                self._board,
                region,
                os.dup(self._listener.fileno()),
                self._wake_write,
                self._life_read,
            )
        except BaseException:  # noqa: BLE001 (the fork must not run on as a supervisor)
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        raise AssertionError("not reached")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            worker = self._workers.pop(pid, None)
            if worker is None:
                continue  # an orphan of some handler's
            _kill_group(pid)
            worker.was_ready = worker.was_ready or worker.region.flags[READY] != 0.0
            expected = worker.stopped or worker.retiring_since
            worker.region.reset()
            if expected or self._stop_until:
                continue
            self._replace_dead(worker, os.waitstatus_to_exitcode(status))

    def _replace_dead(self, worker: Worker, code: int) -> None:
        if not worker.was_ready:
            if code < 0:
                _say(f"the function's process was ended by {_signal(code)} while it was loaded")
            self._give_up()
            return
        if not worker.killed:
            now = time.monotonic()
            self._deaths = [t for t in self._deaths if now - t < DEATH_WINDOW] + [now]
            how = _signal(code) if code < 0 else f"exit code {code}"
            _say(f"a worker process ended unexpectedly ({how}); its requests failed")
            if len(self._deaths) > MAX_DEATHS:
                _say(f"{len(self._deaths)} in {DEATH_WINDOW:g} s: giving up")
                self._give_up()
                return
        self._fork()

    def _give_up(self) -> None:
        self._exit_code = 1
        self._stop_until = self._stop_until or time.monotonic()
        self._drain_until = self._drain_until or self._stop_until
        for worker in self._workers.values():
            worker.stopped = True
            _kill_group(worker.pid)

    def _retire(self) -> None:
        """Replace workers that asked for it."""
        now = time.monotonic()
        for worker in list(self._workers.values()):
            if worker.region.flags[RETIRE] and not worker.retiring_since and not self._stop_until:
                worker.retiring_since = now
                worker.successor = self._fork()
        retiring = [w for w in self._workers.values() if w.retiring_since and not w.killed]
        for worker in retiring:
            successor = self._workers.get(worker.successor)
            ready = successor is None or successor.region.flags[READY] or self._config.concurrency
            if ready and not worker.stopped:
                worker.stopped = True
                os.kill(worker.pid, signal.SIGTERM)
            elif now > self._retire_limit(worker):
                self._kill(worker)
        retiring = [w for w in retiring if not w.killed]
        for worker in sorted(retiring, key=lambda w: w.retiring_since)[:-MAX_RETIRING]:
            self._kill(worker)

    def _retire_limit(self, worker: Worker) -> float:
        """Until when a retiring worker may finish its calls: the last began when it was told."""
        return worker.retiring_since + self._config.timeout + 2 * HELD

    def _kill_overdue(self) -> None:
        """Kill workers that let a deadline pass and had time enough since: a busy machine holds nobody's deadline."""
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.region.earliest() > now - HELD / 2:
                worker.overdue = None
            elif worker.overdue is None:
                worker.overdue = OwnTime(worker.pid)
            elif not worker.killed and worker.overdue.look() >= HELD / 2:
                _say("a native call held the interpreter past the timeout; its process is replaced")
                self._kill(worker)

    def _kill(self, worker: Worker) -> None:
        worker.killed = True
        _kill_group(worker.pid)

    def _drain(self) -> None:
        now = time.monotonic()
        if self._drain_until and now >= self._drain_until and not self._stop_until:
            self._stop_until = now + self._config.timeout + 2 * HELD
            _say("no longer accepting, finishing what runs")
            for worker in self._workers.values():
                worker.stopped = True
                if worker.region.flags[READY]:
                    os.kill(worker.pid, signal.SIGTERM)
                else:
                    self._kill(worker)  # it still loads, and has nothing to finish
        elif self._stop_until and now > self._stop_until:
            for worker in self._workers.values():
                self._kill(worker)

    def _until_next(self) -> float:
        """Seconds until something may have to be done without being woken."""
        now = time.monotonic()
        # A call that begins later has its deadline later than this.
        times = [now + self._config.timeout]
        for worker in self._workers.values():
            times.append(now + LOOK if worker.overdue else worker.region.earliest() + HELD / 2)
            if worker.retiring_since:
                times.append(self._retire_limit(worker))
        times += [t for t in (self._drain_until, self._stop_until) if t > now]
        # The smallest pause keeps a deadline just passed from becoming a busy loop.
        return max(0.01, min(times) - now)


def _unbuffered(descriptor: int) -> io.TextIOWrapper:
    """A text stream that writes at once, so that a killed worker has lost nothing it printed."""
    return io.TextIOWrapper(
        io.FileIO(descriptor, "w", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _signal(code: int) -> str:
    return signal.Signals(-code).name


def _say(text: str) -> None:
    print(f"kubeless: {text}", file=sys.stderr, flush=True)
