"""Exclusive use of a folder, held by the kernel: a killed holder holds nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from .progress import say


@contextlib.contextmanager
def locked(folder: Path, waiting_for: str) -> Iterator[None]:
    """Hold an exclusive lock on `folder` (made when missing); wait for another holder.

    The folder may be removed while it is held: whoever waited then locks the new one.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for {waiting_for} ({folder} is locked)")
                fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                same = os.stat(folder).st_ino == os.fstat(handle).st_ino
            except FileNotFoundError:
                same = False
            if same:
                yield
                return
        finally:
            os.close(handle)
