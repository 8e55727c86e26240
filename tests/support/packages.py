"""Packages of the tests' own, and the files by which an index, a registry or a git server offers them.

What they are put on is a plain server of files: every index here is static.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

Files = dict[str, bytes]

#: A package of npm that is compiled, in C against Node's stable interface.
NATIVE_NODE = {
    "binding.gyp": json.dumps({"targets": [{"target_name": "native", "sources": ["native.c"]}]}),
    "index.js": "module.exports = require('./build/Release/native.node');\n",
    "native.c": """
#include <node_api.h>
static napi_value answer(napi_env env, napi_callback_info info) {
  napi_value value;
  napi_create_int32(env, 42, &value);
  return value;
}
static napi_value init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "answer", NAPI_AUTO_LENGTH, answer, NULL, &function);
  napi_set_named_property(env, exports, "answer", function);
  return exports;
}
NAPI_MODULE(native, init)
""",
}


def python_index(name: str, modules: Mapping[str, str]) -> Files:
    """A simple index (PEP 503) at ``simple/`` that has one wheel of these modules, version 1.0."""
    wheel = f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    contents = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    content = buffer.getvalue()
    link = (
        f'<a href="../../wheels/{wheel}#sha256={hashlib.sha256(content).hexdigest()}">{wheel}</a>'
    )
    return {
        f"simple/{name}/index.html": f"<!DOCTYPE html><html><body>{link}</body></html>".encode(),
        f"wheels/{wheel}": content,
    }


def npm_package(name: str, version: str, files: Mapping[str, str]) -> bytes:
    """The tarball of a package; the same bytes for the same files."""
    contents = {"package.json": json.dumps({"name": name, "version": version}), **files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in contents.items():
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


def npm_registry(url: str, name: str, versions: Mapping[str, bytes]) -> Files:
    """What a registry at ``url`` has of one package; its last version is the latest."""
    found: Files = {f"-/{name}-{version}.tgz": content for version, content in versions.items()}
    described = {
        version: {
            "name": name,
            "version": version,
            "dist": {"tarball": f"{url}/-/{name}-{version}.tgz", "integrity": integrity(content)},
        }
        for version, content in versions.items()
    }
    manifest = {"name": name, "dist-tags": {"latest": list(versions)[-1]}, "versions": described}
    found[name] = json.dumps(manifest).encode()
    return found


def integrity(content: bytes) -> str:
    """As npm's lock files have it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def git_repository(folder: Path, name: str, files: Mapping[str, str]) -> Files:
    """The files of ``<name>.git``, a repository with one commit, for git's clients of plain servers."""
    work, bare = folder / name, folder / f"{name}.git"
    for path, text in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (
        [*git, "-C", str(work), "init", "-q", "-b", "main"],
        [*git, "-C", str(work), "add", "."],
        [*git, "-C", str(work), "commit", "-q", "-m", "first"],
        [*git, "clone", "-q", "--bare", str(work), str(bare)],
        [*git, "-C", str(bare), "update-server-info"],
    ):
        subprocess.run(command, check=True)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in bare.rglob("*")
        if path.is_file() and "hooks" not in path.parts
    }
