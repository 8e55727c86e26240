"""Ruby servers as processes of this machine. What every runtime has to do is in tests/conformance."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from conformance.languages import LANGUAGES
from conformance.server import Server, launch, wait_until_ready

Serve = Callable[..., Server]
RUBY = LANGUAGES["ruby"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = RUBY.missing()
    if missing and not os.environ.get("CI"):
        for item in items:
            if "images/ruby/tests" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture
def begin() -> Iterator[Serve]:
    """Start a server without waiting for it; a source, or files by their paths below the volume."""
    servers: list[Server] = []

    def start(
        source: str | Mapping[str, str],
        *,
        module: str = "fn",
        handler: str = "handler",
        env: Mapping[str, str | None] | None = None,
        timeout: float = 20,
    ) -> Server:
        files = {f"{module}.rb": source} if isinstance(source, str) else source
        files = {name: textwrap.dedent(text) for name, text in files.items()}
        server = launch(RUBY, files, module=module, handler=handler, env=env, timeout=timeout)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.destroy()


@pytest.fixture
def serve(begin: Serve) -> Serve:
    """Start a server and wait until it is ready."""

    def start(*arguments: Any, **options: Any) -> Server:
        server = begin(*arguments, **options)
        wait_until_ready(server)
        return server

    return start
