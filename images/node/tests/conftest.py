"""Servers of the Node.js runtime as processes; what all languages share is in tests/conformance."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.languages import NODE
from conformance.server import Server, launch, wait_until_ready

FOLDER = Path(__file__).resolve().parents[1]
PACKAGES = FOLDER / "node_modules"
COMMAND = ("perl", str(FOLDER / "supervisor.pl"))

Start = Callable[..., Server]


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """The packages of package-lock.json and the part in C, made when they are not there."""
    if not (PACKAGES / "express").is_dir() or not (PACKAGES / "multer").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=FOLDER, check=True)
    if not (FOLDER / "build/native.node").exists():
        subprocess.run([FOLDER / "native/build"], check=True)


@pytest.fixture
def begin() -> Iterator[Start]:
    """Start a server without waiting for it. ``source`` may map names to files."""
    servers: list[Server] = []

    def start(source: str | Mapping[str, str], suffix: str = ".js", **options: Any) -> Server:
        module = options.get("module", "fn")
        files = {f"{module}{suffix}": source} if isinstance(source, str) else source
        server = launch(NODE, files, command=COMMAND, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.destroy()


@pytest.fixture
def serve(begin: Start) -> Start:
    """Start a server and wait until it is ready."""

    def start(*arguments: Any, **options: Any) -> Server:
        server = begin(*arguments, **options)
        wait_until_ready(server)
        return server

    return start
