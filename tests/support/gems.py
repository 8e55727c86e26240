"""Gems of the tests' own, and a static index (compact, as Bundler reads it) that has them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

#: A gem that is compiled: `native_answer` is 42.
NATIVE = {
    "ext/extconf.rb": "require 'mkmf'\ncreate_makefile('native')\n",
    "ext/native.c": """
#include <ruby.h>
static VALUE answer(VALUE self) { return INT2FIX(42); }
void Init_native(void) { rb_define_global_function("native_answer", answer, 0); }
""",
}
NATIVE_EXTRA = "s.extensions = ['ext/extconf.rb']"


def gemspec(name: str, extra: str = "") -> str:
    """The specification of a gem of version 1.0 with the files of its folder."""
    return (
        f"Gem::Specification.new('{name}', '1.0') {{ |s| s.summary = s.authors = 'x'; "
        f"s.files = Dir['{{lib,ext}}/**/*']; {extra} }}"
    )


def build(folder: Path, name: str, files: Mapping[str, str], extra: str = "") -> bytes:
    """The .gem file of these files; ``extra`` is Ruby that has the specification as ``s``."""
    for path, text in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text)
    (folder / name / "x.gemspec").write_text(gemspec(name, extra))
    subprocess.run(
        ["gem", "build", "--silent", "--force", "-o", f"{name}.gem", "x.gemspec"],
        cwd=folder / name, check=True, capture_output=True,
    )  # fmt: skip
    return (folder / name / f"{name}.gem").read_bytes()


def index(gems: Mapping[str, bytes], needs: Mapping[str, str]) -> dict[str, bytes]:
    """The files of an index; ``needs`` has the gems that one needs, as Bundler writes them."""
    files = {f"gems/{name}-1.0.gem": content for name, content in gems.items()}
    versions = "created_at: 2026-01-01T00:00:00Z\n---\n"
    for name, content in gems.items():
        checksum = hashlib.sha256(content).hexdigest()
        info = f"---\n1.0 {needs.get(name, '')}|checksum:{checksum}\n"
        files[f"info/{name}"] = info.encode()
        versions += f"{name} 1.0 {hashlib.md5(info.encode()).hexdigest()}\n"
    files["versions"] = versions.encode()
    return files
