"""Unpacking archives that may be hostile.

* Nothing is written outside of the folder: no absolute names, no '..', no links, no devices.
* At most ``files`` entries and ``size`` bytes come out, counted while they are
  written: what an archive says of itself is not believed.
* Entries get plain permissions: no setuid, no sticky bits.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kubeless_prepare.errors import SOURCE_INVALID, SOURCE_TOO_LARGE, PrepareError

CHUNK = 64 * 1024
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError,
           NotImplementedError, ValueError)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """How much may come out of an archive; ``size`` in bytes."""

    files: int
    size: int


def unpack(content: bytes, kind: str, folder: Path, limits: Limits) -> int:
    """Unpack ``content`` (``zip`` or ``compressedtar``) into ``folder``; the number of files.

    Raises PrepareError; what was written until then stays in the folder.
    """
    written = files = 0
    try:
        entries = _zip(content) if kind == "zip" else _tar(content)
        for name, source in entries:
            files += 1
            if files > limits.files:
                raise PrepareError(
                    SOURCE_TOO_LARGE, f"the archive has more than {limits.files} files"
                )
            target = _target(folder, name)
            if source is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                while chunk := source.read(min(CHUNK, limits.size - written + 1)):
                    written += len(chunk)
                    if written > limits.size:
                        raise PrepareError(
                            SOURCE_TOO_LARGE,
                            f"the archive holds more than {limits.size} bytes",
                        )
                    file.write(chunk)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            what = f"cannot be written: {error.strerror}"
        else:
            what = f"cannot be read as {kind}: {error or type(error).__name__}"
        raise PrepareError(SOURCE_INVALID, f"the archive {what}") from error
    if not files:
        raise PrepareError(SOURCE_INVALID, "the archive is empty")
    return files


def _zip(content: bytes) -> Iterator[tuple[str, IO[bytes] | None]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if mode and (mode & 0o170000) not in (0, 0o100000, 0o040000):
                raise _not_plain(entry.filename)
            if entry.is_dir():
                yield entry.filename, None
                continue
            with archive.open(entry) as source:
                yield entry.filename, source


def _tar(content: bytes) -> Iterator[tuple[str, IO[bytes] | None]]:
    # "r|*" reads one way and knows gzip, bzip2 and xz; the members are not gathered first.
    with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
        for entry in archive:
            if entry.isdir():
                yield entry.name, None
            elif entry.isreg():
                yield entry.name, archive.extractfile(entry)
            else:
                raise _not_plain(entry.name)


def _target(folder: Path, name: str) -> Path:
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise PrepareError(
            SOURCE_INVALID, f"the archive has an entry that leads out of it: {name[:200]!r}"
        )
    target = folder.joinpath(*(part for part in parts if part not in ("", ".")))
    if any(len(os.fsencode(part)) > 255 for part in parts):
        raise PrepareError(
            SOURCE_INVALID, f"the archive has a name that is too long: {name[:80]!r}"
        )
    return target


def _not_plain(name: str) -> PrepareError:
    return PrepareError(
        SOURCE_INVALID,
        f"the archive has an entry that is neither a file nor a folder (a link or a device): {name[:200]!r}",
    )


def empty(folder: Path) -> None:
    """Remove what an earlier try left; the folder itself is a volume and stays."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
