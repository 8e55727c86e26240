"""What can go wrong between us and the API server."""

from __future__ import annotations

import json
from typing import Any


class ConfigError(Exception):
    """There is no usable way to reach a cluster: no kubeconfig, no such context, bad credentials file."""


class Unreachable(Exception):
    """No answer came: refused, reset, timed out, or TLS did not agree. The request may have been done."""


class Fenced(Exception):
    """Nothing was sent: whoever would write may not do so any more."""


class ApiError(Exception):
    """The API server answered with an error.

    Attributes:
        status: HTTP status code.
        reason: the ``reason`` of the Status object (``AlreadyExists``, ``Invalid`` ...), or the HTTP phrase.
        message: the server's own sentence.
        details: the Status object's ``details``, ``{}`` when it has none.
    """

    def __init__(
        self, status: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{status} {reason}: {message}" if message else f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}


class BadRequest(ApiError):
    """400: the request cannot be read as an object of its kind."""


class NotFound(ApiError):
    """404: no such object, or no such kind."""

    @property
    def no_such_kind(self) -> bool:
        """Say whether the server does not serve the kind at all: then no object is named."""
        return not self.details.get("name")


class Conflict(ApiError):
    """409: it exists already, or it changed since it was read."""


class Gone(ApiError):
    """410: the resource version is older than what the server remembers."""


class Forbidden(ApiError):
    """403: not allowed, or refused by an admission check or a quota."""


class Invalid(ApiError):
    """422: the object breaks its schema or one of its rules."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Invalid,
}


def error_from_response(status: int, phrase: str, body: bytes) -> ApiError:
    """Make the error that fits a response; ``body`` need not be a Status object."""
    reason, message, details = phrase, "", None
    try:
        answer = json.loads(body)
    except ValueError:
        message = body[:500].decode("utf-8", "replace").strip()
    else:
        if isinstance(answer, dict):
            reason = answer.get("reason") or phrase
            message = answer.get("message") or ""
            details = answer.get("details")
    return _BY_STATUS.get(status, ApiError)(status, reason, message, details)


def error_from_status(obj: dict[str, Any]) -> ApiError:
    """Make the error that a watch sent as an ERROR event's Status object."""
    status = int(obj.get("code") or 500)
    kind = _BY_STATUS.get(status, ApiError)
    return kind(
        status, obj.get("reason") or "Unknown", obj.get("message") or "", obj.get("details")
    )
