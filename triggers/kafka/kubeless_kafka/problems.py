"""What holds a function's records up now, and what failed last, for the status."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

# The first of these that is there is shown: causes before what follows from them.
ORDER = (
    "ConfigInvalid",
    "TLSFailed",
    "AuthenticationFailed",
    "BrokerUnreachable",
    "AuthorizationFailed",
    "TopicNotFound",
    "RecordUnreadable",
    "DeadLetterUnavailable",
    "ResponseTopicUnavailable",
    "FunctionUnavailable",
)
MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class Problem:
    """A reason, what was found, and since when (RFC 3339)."""

    reason: str
    message: str
    time: str

    def document(self) -> dict[str, str]:
        """As it stands in /status."""
        return {"reason": self.reason, "message": self.message, "time": self.time}


def problem(reason: str, message: str) -> Problem:
    """A problem that is there from now on."""
    return Problem(
        reason, message[:MESSAGE_LENGTH], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


class Board:
    """The problems that are there; used by the event loop and by the threads that talk to Kafka."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, Problem] = {}
        self.last_error: Problem | None = None

    def set(self, reason: str, message: str) -> bool:
        """A problem is there; True when it was not. Its time is when it began."""
        with self._lock:
            known = self._problems.get(reason)
            new = problem(reason, message)
            if known is not None:
                new = Problem(reason, new.message, known.time)
            self._problems[reason] = new
            return known is None

    def clear(self, *reasons: str) -> bool:
        """These are gone; True when any was there."""
        with self._lock:
            gone = [self._problems.pop(reason, None) for reason in reasons]
            return any(gone)

    def has(self, reason: str) -> bool:
        """Whether a problem is there."""
        return reason in self._problems

    def note(self, reason: str, message: str) -> None:
        """What failed last: it stays until something else fails."""
        self.last_error = problem(reason, message)

    @property
    def current(self) -> Problem | None:
        """The problem to show."""
        with self._lock:
            return next((self._problems[one] for one in ORDER if one in self._problems), None)
