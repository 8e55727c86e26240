"""Entry point: ``python3 kubeless_prepare`` with its settings in the environment.

KUBELESS_SOURCE_FILE     a file that has the source, or its address in a URL source
KUBELESS_SOURCE_CARRIER  ``file`` or ``url``
KUBELESS_SOURCE_ARCHIVE  '', ``zip`` or ``compressedtar``
KUBELESS_SOURCE_NAME     what to call a source that is no archive, like hello.py
KUBELESS_CHECKSUM        ``sha256:<hex>``, or empty
KUBELESS_DEPS_SOURCE     a file of dependencies that is put beside the source, or empty
KUBELESS_DEPS_CARRIER    ``url`` when that file has the address of the dependencies
KUBELESS_DEPS_NAME       what the runtime calls it, like requirements.txt
KUBELESS_INSTALL_VOLUME  the folder that is filled
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

if not __package__:
    # Run as a folder: Python put the folder itself on the path, not its parent.
    sys.path[0] = __file__.rpartition("/")[0].rpartition("/")[0]

from kubeless_prepare.download import download
from kubeless_prepare.errors import (
    CHECKSUM_MISMATCH,
    SOURCE_INVALID,
    SOURCE_UNAVAILABLE,
    PrepareError,
)
from kubeless_prepare.unpack import Limits, empty, unpack

MEBIBYTE = 1024 * 1024
DOWNLOAD_LIMIT = 100 * MEBIBYTE
DOWNLOAD_SECONDS = 300.0
UNPACKED_LIMIT = 500 * MEBIBYTE
FILES_LIMIT = 20_000


def main(environ: Mapping[str, str]) -> int:
    """Prepare the source; the exit code. A failure's line begins with its reason."""
    try:
        prepare(environ)
    except PrepareError as error:
        print(f"{error.reason}: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def prepare(environ: Mapping[str, str]) -> None:
    """Do all of it. Raises PrepareError."""
    folder = Path(environ["KUBELESS_INSTALL_VOLUME"])
    given = Path(environ["KUBELESS_SOURCE_FILE"])
    empty(folder)
    if environ["KUBELESS_SOURCE_CARRIER"] == "url":
        content = fetch(environ, given)
    else:
        content = given.read_bytes()
    check(content, environ.get("KUBELESS_CHECKSUM", ""))
    archive = environ.get("KUBELESS_SOURCE_ARCHIVE", "")
    name = environ["KUBELESS_SOURCE_NAME"]
    if archive:
        limits = Limits(
            _number(environ, "KUBELESS_FILES_LIMIT", FILES_LIMIT),
            _number(environ, "KUBELESS_UNPACKED_LIMIT", UNPACKED_LIMIT),
        )
        count = unpack(content, archive, folder, limits)
        require_module(folder, name)
        print(f"kubeless: {count} files unpacked", flush=True)
    else:
        (folder / name).write_bytes(content)
        print(f"kubeless: {len(content)} bytes of source written", flush=True)
    prepare_dependencies(environ, folder)


def prepare_dependencies(environ: Mapping[str, str], folder: Path) -> None:
    """Put the file of dependencies beside the source, if there is one. Raises PrepareError."""
    given = environ.get("KUBELESS_DEPS_SOURCE", "")
    if not given:
        return
    target = folder / environ["KUBELESS_DEPS_NAME"]
    if environ.get("KUBELESS_DEPS_CARRIER") == "url":
        target.write_bytes(fetch(environ, Path(given)))
    else:
        shutil.copyfile(given, target)


def fetch(environ: Mapping[str, str], file: Path) -> bytes:
    """What is behind the address that the file has. Raises PrepareError."""
    return download(
        file.read_text().strip(),
        _number(environ, "KUBELESS_DOWNLOAD_LIMIT", DOWNLOAD_LIMIT),
        float(_number(environ, "KUBELESS_DOWNLOAD_SECONDS", int(DOWNLOAD_SECONDS))),
        environ.get("KUBELESS_ALLOW_LOCAL_URLS") == "true",
    )


def check(content: bytes, checksum: str) -> None:
    """Compare with the checksum, if there is one. Raises PrepareError."""
    if not checksum:
        return
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if checksum.lower() != found:
        raise PrepareError(
            CHECKSUM_MISMATCH,
            f"spec.checksum: the source has {found}, but spec.checksum says {checksum.lower()}; if "
            "the source is the one you want, put its checksum there or leave it out",
        )


def require_module(folder: Path, name: str) -> None:
    """See that the handler's module came out of the archive. Raises PrepareError."""
    if (folder / name).is_file():
        return
    stem, _, _ = name.rpartition(".")
    # A runtime may know other endings for the same module, like .mjs beside .js.
    if any(path.is_file() and path.stem == stem for path in folder.iterdir()):
        return
    found = sorted(path.name for path in folder.iterdir())
    listed = ", ".join(found[:20]) + (", ..." if len(found) > 20 else "")
    raise PrepareError(
        SOURCE_INVALID,
        f"spec.handler wants the file {name}, and the archive's top folder has {listed}; the "
        "module must stand at the top of the archive",
    )


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise PrepareError(SOURCE_UNAVAILABLE, f"{name}: found {text!r}, expected a whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(os.environ))
