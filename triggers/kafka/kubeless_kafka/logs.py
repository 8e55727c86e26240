"""Logs to stderr, a line each: time, level, thread, message. No payloads and no credentials are logged."""

from __future__ import annotations

import logging
import sys
import time


class Formatter(logging.Formatter):
    """The controller's form of a line."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S",
        )
        self.converter = time.gmtime


class Throttle:
    """Lets one line through in each ``seconds``, and counts the others."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._next = 0.0
        self._left_out = 0

    def warn(self, log: logging.Logger, message: str) -> None:
        """Log a warning, or leave it out."""
        now = time.monotonic()
        if now < self._next:
            self._left_out += 1
            return
        more = f" ({self._left_out} such lines left out)" if self._left_out else ""
        log.warning("%s%s", message, more)
        self._next = now + self._seconds
        self._left_out = 0


class Repeats(logging.Filter):
    """Lets librdkafka say a thing once in ``seconds``: it tells of each attempt to connect."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is new. The word at its start is the kind of event."""
        kind = record.getMessage().partition(" ")[0]
        now = time.monotonic()
        if now < self._said.get(kind, 0.0):
            return False
        self._said[kind] = now + self._seconds
        return True


def configure() -> None:
    """Send all logs to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("kubeless.librdkafka").addFilter(Repeats())
