"""Loading and what Python brings to it, what the server takes; the rest is in tests/conformance."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

import pytest

from .conftest import ROOT, Serve, Server, eventually

OK = "def handler(event, context):\n    return 'ok'\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1\n", "module 'fn' has no function 'handler'; it defines no functions"),
        ("handler = 3\n", "'handler' in module 'fn' is not a function but a int"),
    ],
)  # fmt: skip
def test_module_that_does_not_load(launch: Serve, source: str, reason: str) -> None:
    server = launch(source)
    assert server.process.wait(timeout=10) == 1
    for text in (server.output(), server.termination.read_text()):
        first, _, trace = text.partition("\n")
        assert first.startswith("kubeless: ")
        assert reason in first
        assert "kubeless_runtime" not in trace


@pytest.mark.parametrize("module", ["json", "select", "calendar", "app", "flask"])
def test_module_named_like_a_library(serve: Serve, module: str) -> None:
    source = "import json, select, calendar, flask\ndef handler(event, context):\n    return json.dumps([1])"
    if module in ("calendar", "flask"):
        source = OK
    assert serve(source, module=module).get().status == 200


def test_modules_beside_the_source_and_installed_packages(serve: Serve) -> None:
    import sys

    version = "3.13" if ROOT else f"{sys.version_info.major}.{sys.version_info.minor}"
    if ROOT:
        version = next(Path(ROOT, "usr/lib").glob("python3.[0-9]*")).name.removeprefix("python")
    packages = f"lib/python{version}/site-packages"
    server = serve(
        {
            "fn.py": "import beside, click, helped\n"
            "def handler(event, context):\n    return [beside.a, click.a, helped.a]",
            "beside.py": "a = 1",
            f"{packages}/click.py": "a = 2",  # the server's own click stays behind
            f"{packages}/more.pth": "extra\n",
            f"{packages}/extra/helped.py": "a = 3",
        }
    )
    assert server.get().json() == [1, 2, 3]


def test_module_of_the_same_name_as_its_dependency(serve: Serve) -> None:
    import sys

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if ROOT:
        version = next(Path(ROOT, "usr/lib").glob("python3.[0-9]*")).name.removeprefix("python")
    server = serve(
        {
            "redis.py": "import redis\ndef handler(event, context):\n    return redis.real",
            f"lib/python{version}/site-packages/redis.py": "real = 'yes'",
        },
        module="redis",
    )
    assert server.get().text == "yes"


def test_sigterm_right_after_the_first_answer_is_not_missed(launch: Serve) -> None:
    """Flask is made ready just then."""
    source = "def handler(event, context):\n    return event['extensions']['request'].path"
    for _ in range(8):
        server = launch(source)
        assert eventually(lambda server=server: _text(server)) == "/"
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 15, "it was killed when the longest call was over"


def _text(server: Server) -> str:
    try:
        return server.get().text
    except (OSError, http.client.HTTPException):
        return ""


def test_idle_memory(serve: Serve) -> None:
    server = serve(OK)
    server.get()
    total = 0
    for pid in (server.pid, *server.workers()):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    assert total < 45 * 1024, f"{total} KiB"
