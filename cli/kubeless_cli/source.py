"""A function's source as the Function object carries it.

The suffix says what a file is, as it always has: .zip and compressed tars are archives, an http(s)
URL stays a URL, everything else is text when it is UTF-8 without NUL bytes and base64 otherwise.
The checksum is of the bytes the user has (for a URL: of what it answers now), never of their
encoding.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from kubeless_cli import files

# A ConfigMap holds at most 1 MiB; the rest of the object wants a little of it.
MAX_STORED_BYTES = 1024 * 1024 - 8 * 1024

_COMPRESSED_TAR = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class Source:
    """`spec.function`, `spec.function-content-type` and `spec.checksum` of one source."""

    content: str
    content_type: str
    checksum: str


class SourceError(ValueError):
    """The source can't be used; the message says why and what to do."""


def is_url(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def archive_suffix(path: str) -> str:
    """`+zip`, `+compressedtar` or nothing, from the end of a file name or of a URL's path."""
    path = path.lower()
    if path.endswith(".zip"):
        return "+zip"
    if path.endswith(_COMPRESSED_TAR):
        return "+compressedtar"
    return ""


def from_bytes(data: bytes, name: str) -> Source:
    """The source for a file's bytes. Raises SourceError when it is empty or too large to store."""
    if not data.strip():
        raise SourceError(f"'{name}' is empty; expected the function's source.")
    archive = archive_suffix(name)
    text = None if archive else _as_text(data)
    content = base64.b64encode(data).decode() if text is None else text
    if len(content.encode()) > MAX_STORED_BYTES:
        raise SourceError(
            f"'{name}' takes {files.mib(len(content))} MiB once stored; a Function holds at most 1 MiB. "
            "Put it on a web server and give its URL instead."
        )
    content_type = "text" if text is not None else f"base64{archive}"
    return Source(content, content_type, checksum(data))


def from_url(url: str, digest: str) -> Source:
    """The source for a URL; `digest` is its checksum, or empty for none."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise SourceError(f"'{url}' names no host; expected a URL such as https://host/hello.py.")
    return Source(url, f"url{archive_suffix(parts.path)}", digest)


def read_file(location: str) -> bytes:
    """The bytes of a file. Raises SourceError naming what is in the way."""
    try:
        return files.read_file(location, 64 * MAX_STORED_BYTES)
    except files.Folder as error:
        raise SourceError(
            f"{error} Pack the folder into a .zip or a .tar.gz and give that."
        ) from None
    except files.TooLarge as error:
        raise SourceError(
            f"{error}; a Function holds at most 1 MiB. "
            "Put it on a web server and give its URL instead."
        ) from None
    except files.FileError as error:
        raise SourceError(str(error)) from None


def download_checksum(url: str, timeout: float = 30.0) -> str:
    """The checksum of what `url` answers now. Raises SourceError when it can't be downloaded."""
    import http.client
    import urllib.error
    import urllib.request

    digest = hashlib.sha256()
    try:
        # Only http(s) arrives here (is_url); proxies and CA settings are the host's.
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310
            while chunk := answer.read(1 << 16):
                digest.update(chunk)
    except urllib.error.HTTPError as error:
        raise SourceError(f"'{url}' answered {error.code} {error.reason}.{_NO_CHECKSUM}") from None
    except urllib.error.URLError as error:
        raise SourceError(f"'{url}' can't be reached: {error.reason}.{_NO_CHECKSUM}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(f"'{url}' can't be downloaded: {error}.{_NO_CHECKSUM}") from None
    return f"sha256:{digest.hexdigest()}"


_NO_CHECKSUM = (
    "\nIt is read here for its checksum; if only the cluster can reach it, add --checksum none "
    "(or --checksum sha256:<hex>)."
)


def checksum(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _as_text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None
