"""A build context: the files a Dockerfile may copy, and their digest.

The filter follows Docker's .dockerignore: one pattern a line, later lines win,
``!`` re-includes, ``**`` crosses folders, and a pattern that names a folder
covers what is in it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path


def parse_ignore(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Rules of a .dockerignore as (excludes, pattern), in file order."""
    rules = []
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        excludes = not line.startswith("!")
        pattern = line.removeprefix("!").strip().strip("/")
        rules.append((excludes, re.compile(_to_regex(pattern) + "(/.*)?")))
    return rules


def _to_regex(pattern: str) -> str:
    out, i = "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out, i = out + "(.*/)?", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif pattern[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif pattern[i] == "?":
            out, i = out + "[^/]", i + 1
        elif pattern[i] == "[" and "]" in pattern[i + 2 :]:
            end = pattern.index("]", i + 2)
            out, i = out + pattern[i : end + 1], end + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return out


def ignored(path: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Whether ``path`` (relative, with slashes) is left out of the context."""
    verdict = False
    for excludes, pattern in rules:
        if pattern.fullmatch(path):
            verdict = excludes
    return verdict


def files(context: Path) -> Iterator[str]:
    """Relative paths of the context's files and links, sorted."""
    ignore = context / ".dockerignore"
    rules = parse_ignore(ignore.read_text() if ignore.is_file() else "")
    found = []
    for folder, folders, names in os.walk(context):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*names, *links]:
            path = os.path.relpath(os.path.join(folder, name), context)
            if not ignored(path, rules):
                found.append(path)
    yield from sorted(found)


def digest(context: Path) -> str:
    """SHA-256 over names, executable bits, link targets and contents of the context."""
    total = hashlib.sha256()
    for path in files(context):
        full = context / path
        if full.is_symlink():
            kind, content = "link", os.readlink(full).encode()
        else:
            kind = "exec" if os.access(full, os.X_OK) else "file"
            content = full.read_bytes()
        total.update(f"{path}\0{kind}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()
