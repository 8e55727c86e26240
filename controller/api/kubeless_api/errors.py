"""The one way in which what a user wrote is refused."""

from __future__ import annotations


class SpecError(Exception):
    """A field of a Function or a trigger is wrong.

    ``reason`` is a reason of the Accepted condition; ``message`` names the
    field, what was found, what is right and what to do, and stands alone.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
