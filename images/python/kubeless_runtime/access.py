"""Access log: one line a request on standard output, in the common form.

    10.0.0.1 - - [23/Nov/2026:06:29:00 +0000] "GET / HTTP/1.1" 200 11 "" "curl/8.0" 0/532

The last field is the duration: whole seconds / microseconds. What a client sent
is escaped, so that a request can't forge a line.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time

#: Seconds between two writes.
PAUSE = 0.005

#: Lines that wait to be written at most, and that are made one piece at once.
MAX_LINES = 50_000
_BATCH = 500

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class AccessLog:
    """Writes lines to a file descriptor, from a thread of its own.

    A write of each request's own would give up the interpreter lock once more in every
    call, and have the threads of busy times queue for it.

    - A line is written at once when none was before, and within PAUSE otherwise.
    - Lines come whole although other processes write to the same pipe.
    - When nobody reads them, they are dropped, not waited for, and the gap is told.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._second = (0, "")
        self._lines: list[str] = []
        self._dropped = 0
        self._idle = False
        self._wake = threading.Lock()
        self._wake.acquire()
        self._writing = threading.Lock()
        threading.Thread(target=self._run, name="access-log", daemon=True).start()

    def write(self, environ: dict[str, str], status: int, size: int, seconds: float) -> None:
        """Log one answered request. ``size`` is the body's, in bytes."""
        target = environ["PATH_INFO"]
        if query := environ["QUERY_STRING"]:
            target = f"{target}?{query}"
        if len(self._lines) >= MAX_LINES:
            self._dropped += 1
            return
        self._lines.append(
            f"{plain_address(environ['REMOTE_ADDR'])} - - [{self._now()}] "
            f'"{environ["REQUEST_METHOD"]} {escape(target)} {environ["SERVER_PROTOCOL"]}" '
            f'{status} {size} "{escape(environ.get("HTTP_REFERER", ""))}" '
            f'"{escape(environ.get("HTTP_USER_AGENT", ""))}" '
            f"{int(seconds)}/{int(seconds * 1e6)}\n"
        )
        if self._idle:
            self._idle = False
            with contextlib.suppress(RuntimeError):  # another thread did the same
                self._wake.release()

    def flush(self) -> None:
        """Write what is there."""
        with self._writing:
            while self._lines:
                lines = self._lines[:_BATCH]
                del self._lines[: len(lines)]
                if not self._lines and self._dropped:
                    count, self._dropped = self._dropped, 0
                    lines.append(f"kubeless: {count} lines of the access log were dropped\n")
                self._put("".join(lines).encode())

    def _put(self, data: bytes) -> None:
        # When nobody reads the log any more, the requests were answered all the same.
        with contextlib.suppress(OSError):
            while data:
                end = len(data)
                if end > select.PIPE_BUF:  # more might be mixed with what others write
                    end = data.rfind(b"\n", 0, select.PIPE_BUF) + 1 or data.find(b"\n") + 1
                data = data[os.write(self._descriptor, data[:end]) :]

    def _run(self) -> None:
        while True:
            if not self._lines:
                self._idle = True
                if not self._lines:
                    self._wake.acquire()
                self._idle = False
            self.flush()
            time.sleep(PAUSE)

    def _now(self) -> str:
        now = int(time.time())
        second, text = self._second
        if second != now:
            t = time.gmtime(now)
            text = (
                f"{t.tm_mday:02}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year}:"
                f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} +0000"
            )
            self._second = (now, text)
        return text


def plain_address(address: str) -> str:
    """The address of a client; IPv4 as itself although the socket speaks both families."""
    return address.removeprefix("::ffff:")


def escape(text: str) -> str:
    r"""Text of a client for a log line: quotes, backslashes and control characters as \xNN."""
    if not text:
        return ""
    if text.isprintable() and '"' not in text and "\\" not in text and text.isascii():
        return text
    return "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else f"\\x{ord(c):02x}" for c in text)
