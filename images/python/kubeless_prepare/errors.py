"""Why a source cannot be prepared."""

from __future__ import annotations


class PrepareError(Exception):
    """``reason`` becomes the reason of the Function's Ready condition; the message stands alone."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


SOURCE_UNAVAILABLE = "SourceUnavailable"
CHECKSUM_MISMATCH = "ChecksumMismatch"
SOURCE_INVALID = "SourceInvalid"
SOURCE_TOO_LARGE = "SourceTooLarge"
