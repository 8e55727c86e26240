"""What runs: a function's source, in the forms that a Function can carry it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from kubeless_api.conditions import CHECKSUM_MISMATCH
from kubeless_api.errors import SpecError
from kubeless_api.fields import wrong

_CONTENT_TYPE = re.compile(
    r"(?P<carrier>text|base64|url)(\+(?P<archive>zip|compressedtar))?(\+deps)?"
)
_CHECKSUM = re.compile(r"sha256:[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class ContentType:
    """``carrier`` is text, base64 or url; ``archive`` is '', zip or compressedtar."""

    carrier: str
    archive: str

    def __str__(self) -> str:
        return f"{self.carrier}+{self.archive}" if self.archive else self.carrier


def parse_content_type(value: str) -> ContentType:
    """Read spec.function-content-type; '' is text. Raises SpecError."""
    match = _CONTENT_TYPE.fullmatch(value or "text")
    if match is None or (match["carrier"] == "text" and match["archive"]):
        raise wrong(
            "spec.function-content-type",
            value,
            "text, base64 or url, the last two also with +zip or +compressedtar",
        )
    return ContentType(match["carrier"], match["archive"] or "")


def checksum_of(content: bytes) -> str:
    """The checksum of a source as spec.checksum has it: ``sha256:<hex>``."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def check(content: bytes, checksum: str) -> None:
    """Compare a source with its spec.checksum; '' is not checked. Raises SpecError."""
    if not checksum:
        return
    if _CHECKSUM.fullmatch(checksum) is None:
        raise wrong("spec.checksum", checksum, "'sha256:' and 64 hexadecimal digits")
    found = checksum_of(content)
    if checksum.lower() != found:
        raise SpecError(
            CHECKSUM_MISMATCH,
            f"spec.checksum: the source has {found}, but spec.checksum says {checksum.lower()}; "
            "if the source is the one you want, put its checksum there or leave it out",
        )
