"""Builds that are kept: folders in the cache, named by what they are made from.

A build is `<cache>/<key>` with its programs in `bin`, where the key is a hash of
everything that goes in; a finished one never changes. It is made in
`<cache>/<key>.partial`, step by step, and renamed when all is there, so a killed
build goes on where it was and is never mistaken for a finished one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .lock import locked
from .progress import say

KEPT = 2
"""Finished builds that stay in the cache: this one and the one before."""


def cache_key(files: dict[str, bytes], go_version: str, flags: str) -> str:
    """16 hexadecimal digits that differ whenever anything that is built from differs."""
    total = hashlib.sha256()
    parts = [go_version.encode(), flags.encode()]
    for name in sorted(files):
        parts += [name.encode(), files[name]]
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:16]


def ensure(
    cache: Path, key: str, complete: Callable[[Path], bool], make: Callable[[Path], None]
) -> Path:
    """The finished folder `key`, made now if it is not in `cache` yet.

    `complete` tells a whole folder from one that lost something; `make` fills a
    folder in which an earlier attempt may have left what it finished.
    """
    final = cache / key
    if not complete(final):
        with locked(cache, "another build"):
            if not complete(final):
                partial = cache / f"{key}.partial"
                partial.mkdir(parents=True, exist_ok=True)
                make(partial)
                if final.exists():
                    shutil.rmtree(final)
                partial.replace(final)
                _forget_old(cache, final)
    os.utime(final)  # the age of a build is the time since its last use
    return final


def _forget_old(cache: Path, current: Path) -> None:
    finished = [f for f in cache.glob("*/bin") if not f.parent.name.endswith(".partial")]
    folders = sorted((f.parent for f in finished), key=lambda f: f.stat().st_mtime, reverse=True)
    for folder in [f for f in folders if f != current][KEPT - 1 :]:
        say(f"removing an older build: {folder}")
        shutil.rmtree(folder, ignore_errors=True)
    for partial in cache.glob("*.partial"):
        shutil.rmtree(partial, ignore_errors=True)
