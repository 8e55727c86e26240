"""Running calls and their end when time runs out.

A call owns a *slot* and, while its handler runs, a *token*. Whoever takes the
token decides the answer: the thread that ran the handler, or the watchdog when
the deadline passed first. Taking is ``list.pop``, which is atomic.

- The watchdog answers 408 at the deadline, whatever the handler does.
- While its body arrives, a call has no thread: the watchdog ends it at once.
- It then raises RequestTimeout in the handler's thread until that thread says
  that it has left the handler; no other call ever sees the exception.
- A thread that has not left after GRACE seconds of the worker's own time is stuck: the worker is
  retired.
- An idle worker's watchdog sleeps for a whole timeout: no call can end earlier.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from kubeless_runtime.board import ACTIVE, FREE, TAKEN, Board, Region
from kubeless_runtime.config import SLOTS
from kubeless_runtime.own_time import OwnTime

#: Seconds that an interrupted handler has to leave.
GRACE = 0.5

#: Seconds between two looks at a handler that was interrupted.
_TICK = 0.01


class RequestTimeout(BaseException):
    """Raised in a handler whose time is over. Not an Exception: handlers should not catch it."""


class Call:
    """One running request. Made once per slot and reused."""

    __slots__ = (
        "cancel", "closed", "deadline", "environ", "left", "slot", "started", "stuck", "taken",
        "thread", "token", "watcher",
    )  # fmt: skip

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.token: list[None] = []
        self.started = self.deadline = 0.0
        #: When the watchdog took it, by the worker's own time.
        self.taken = 0.0
        #: granian's handle of the request.
        self.watcher: Any = None
        self.environ: dict[str, Any] = {}
        #: Where the handler runs; 0 while the body is read.
        self.thread = 0
        #: Ends what the call waits for; None for work on the call's own thread.
        self.cancel: Callable[[bool], None] | None = None
        self.left = self.closed = self.stuck = False


class Calls:
    """The slots of one worker and its watchdog."""

    def __init__(
        self,
        board: Board,
        region: Region,
        timeout: float,
        limit: int,
        on_timeout: Callable[[Call], None],
        on_stuck: Callable[[Call], None],
    ) -> None:
        self._board = board
        self._region = region
        self._deadlines = region.deadlines
        self._timeout = timeout
        self._limit = limit
        self._on_timeout = on_timeout
        self._on_stuck = on_stuck
        self._calls = [Call(slot) for slot in range(SLOTS)]
        self._free = self._calls[::-1]
        self._taken: list[Call] = []
        #: That of this process, but for the watchdog, whose it is.
        self._own: OwnTime
        self._lock = threading.Lock()
        self._stuck = 0

    @property
    def running(self) -> int:
        """Calls that may still end by themselves."""
        return SLOTS - len(self._free) - self._stuck

    def begin(self, watcher: Any, environ: dict[str, Any], *, reading: bool) -> Call | None:
        """Take a slot and start the clock; None when the limit is reached.

        ``reading``: the body comes first, and whoever has it claims the call for its thread.
        """
        if self._limit and not self._enter():
            return None
        try:
            call = self._free.pop()
        except IndexError:
            self._leave()
            return None
        call.watcher = watcher
        call.environ = environ
        call.thread = 0 if reading else threading.get_ident()
        call.started = time.monotonic()
        call.deadline = call.started + self._timeout
        # The order matters to the watchdog, which reads the token first: a new token means
        # a new deadline.
        self._deadlines[call.slot] = call.deadline
        call.token = [None]
        return call

    def claim(self, call: Call, token: list[None]) -> bool:
        """Go on with a call on this thread; False when the watchdog has taken its ``token``."""
        try:
            token.pop()
        except IndexError:
            return False
        call.cancel = None
        call.thread = threading.get_ident()
        call.token = [None]
        return True

    def end(self, call: Call) -> None:
        """Give the slot back."""
        self._deadlines[call.slot] = FREE
        call.watcher = call.cancel = None
        call.environ = {}
        self._leave()
        self._free.append(call)

    def absorb(self, call: Call) -> None:
        """Leave a call that the watchdog took: wait until it raises nothing here any more."""
        while True:
            try:
                call.left = True
                while not call.closed:
                    time.sleep(0.001)
                _raise_in(call.thread, None)
                break
            except RequestTimeout:
                continue
        if call.stuck:  # it came back after all, in a worker that is going
            return
        call.left = call.closed = False
        self.end(call)

    def abandon(self, call: Call) -> None:
        """Count a call as one that never ends: its slot is lost, the limit is not."""
        with self._lock:
            self._stuck += 1
        call.stuck = True
        self._deadlines[call.slot] = TAKEN
        self._leave()

    def _enter(self) -> bool:
        """Count this call against the limit of the pod: first in, then look, so never above."""
        flags = self._region.flags
        with self._lock:
            flags[ACTIVE] += 1.0
            if self._board.active > self._limit:
                flags[ACTIVE] -= 1.0
                return False
        return True

    def _leave(self) -> None:
        if self._limit:
            with self._lock:
                self._region.flags[ACTIVE] -= 1.0

    def watch(self, parent: int) -> None:
        """The watchdog's loop. Ends the process when ``parent`` (a pipe) closes."""
        self._own = OwnTime(os.getpid(), but=threading.get_native_id())
        poll = select.poll()
        poll.register(parent, select.POLLIN)
        while True:
            now = time.monotonic()
            wake = now + self._timeout
            for slot, deadline in enumerate(self._deadlines.tolist()):
                if deadline <= 0.0:
                    continue
                if deadline <= now:
                    if not self._take(self._calls[slot], now):
                        wake = now + _TICK  # it ends just now, or its handler just begins
                elif deadline < wake:
                    wake = deadline
            if self._taken:
                self._taken = [call for call in self._taken if not self._settle(call)]
                wake = min(wake, now + _TICK)
            if poll.poll(max(0.0, (wake - time.monotonic()) * 1000) + 0.5):
                # The supervisor is gone: go too, with everything a handler started.
                os.killpg(0, signal.SIGKILL)

    def _take(self, call: Call, now: float) -> bool:
        """Take a call whose time is over; False when another thread has its token."""
        token = call.token
        if self._deadlines[call.slot] > now:
            return True  # the slot has a new call
        try:
            token.pop()
        except IndexError:
            return False
        call.left = call.closed = call.stuck = False
        self._deadlines[call.slot] = TAKEN
        self._on_timeout(call)
        if call.thread:
            call.taken = self._own.look()
            self._taken.append(call)
            return True
        if call.cancel is not None:
            call.cancel(True)
        self.end(call)
        return True

    def _settle(self, call: Call) -> bool:
        """Push a taken call towards its end; whether that is reached."""
        if call.left:
            call.closed = True
            return True
        had = self._own.look() - call.taken
        if had > GRACE:
            self.abandon(call)
            call.closed = True
            self._on_stuck(call)
            return True
        if call.cancel is not None:
            call.cancel(had > GRACE / 4)
        else:
            _raise_in(call.thread, RequestTimeout)
        return False


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Raise an exception in a thread at its next instruction; None takes one back."""
    argument = ctypes.py_object(exception) if exception is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), argument)
