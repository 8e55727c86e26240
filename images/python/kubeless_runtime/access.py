"""Access log: one line a request on standard output, in the common form.

    10.0.0.1 - - [23/Nov/2026:06:29:00 +0000] "GET / HTTP/1.1" 200 11 "" "curl/8.0" 0/532

The last field is the duration: whole seconds / microseconds. What a client sent
is escaped, so that a request can't forge a line.
"""

from __future__ import annotations

import contextlib
import os
import time

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class AccessLog:
    """Writes lines to a file descriptor, each with one write."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._second = (0, "")

    def write(self, environ: dict[str, str], status: int, size: int, seconds: float) -> None:
        """Log one answered request. ``size`` is the body's, in bytes."""
        target = environ["PATH_INFO"]
        if query := environ["QUERY_STRING"]:
            target = f"{target}?{query}"
        line = (
            f"{plain_address(environ['REMOTE_ADDR'])} - - [{self._now()}] "
            f'"{environ["REQUEST_METHOD"]} {escape(target)} {environ["SERVER_PROTOCOL"]}" '
            f'{status} {size} "{escape(environ.get("HTTP_REFERER", ""))}" '
            f'"{escape(environ.get("HTTP_USER_AGENT", ""))}" '
            f"{int(seconds)}/{int(seconds * 1e6)}\n"
        )
        # When nobody reads the log any more, the request was answered all the same.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, line.encode())

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
    if text.isprintable() and '"' not in text and "\\" not in text and text.isascii():
        return text
    return "".join(c if 32 <= ord(c) < 127 and c not in '"\\' else f"\\x{ord(c):02x}" for c in text)
