"""Reading a file that a flag names, or saying what is in the way; no cluster."""

from __future__ import annotations

from pathlib import Path


class FileError(ValueError):
    """The file can't be used; the message says why."""


class Folder(FileError):
    """It is a folder."""


class TooLarge(FileError):
    """It is larger than asked for; the message says how large it is."""


def read_file(location: str, most: int) -> bytes:
    """The bytes of a file of at most `most` bytes. Raises FileError naming what is in the way."""
    path = Path(location)
    try:
        if path.is_dir():
            raise Folder(f"'{location}' is a folder; expected a file.")
        if path.is_file() and path.stat().st_size > most:
            raise TooLarge(f"'{location}' has {mib(path.stat().st_size)} MiB")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"'{location}' does not exist.") from None
    except OSError as error:
        raise FileError(f"'{location}' can't be read: {error.strerror}.") from None


def mib(size: int) -> str:
    """A number of bytes in MiB."""
    return f"{size / (1024 * 1024):.1f}"
