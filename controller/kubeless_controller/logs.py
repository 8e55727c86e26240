"""Logs to stderr, as text for a person or as JSON for a collector.

What a worker logs has the object that it works on in each line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """The object that is worked on."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


_subject: ContextVar[Subject | None] = ContextVar("subject", default=None)


@contextmanager
def about(subject: Subject) -> Iterator[None]:
    """Have all that this thread logs inside the block carry the subject."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


class TextFormatter(logging.Formatter):
    """A line for a person: time, level, thread, the object in brackets, message."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(threadName)s %(about)s%(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S",
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        subject = _subject.get()
        record.about = "" if subject is None else f"[{subject}] "
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, thread, the object, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "thread": record.threadName,
        }
        subject = _subject.get()
        if subject is not None:
            entry.update(kind=subject.kind, namespace=subject.namespace, name=subject.name)
        entry["message"] = record.getMessage()
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure(log_format: str) -> None:
    """Send all logs to stderr in ``text`` or ``json``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # It would log a line for every connection that the server closed.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
