"""What runs: a function's source, in the forms that a Function can carry it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from kubeless_api.conditions import CHECKSUM_MISMATCH, INVALID_SPEC
from kubeless_api.errors import SpecError
from kubeless_api.fields import wrong

_CONTENT_TYPE = re.compile(
    r"(?P<carrier>text|base64|url)(\+(?P<archive>zip|compressedtar))?(?P<deps>\+deps)?"
)
_CHECKSUM = re.compile(r"sha256:[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class ContentType:
    """``carrier`` is text, base64 or url; ``archive`` is '', zip or compressedtar.

    ``deps`` says that dependencies come with the source: in its archive, or by an address in spec.deps.
    """

    carrier: str
    archive: str
    deps: bool = False

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
    return ContentType(match["carrier"], match["archive"] or "", bool(match["deps"]))


def decode_base64(value: str) -> bytes:
    """The bytes of a base64 source, in which white space does not matter. Raises SpecError."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except ValueError as error:
        raise SpecError(
            INVALID_SPEC,
            f"spec.function: the content type says base64, and this is none: {error}; encode the file "
            "with `base64`, or write its text and the content type text",
        ) from error


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
