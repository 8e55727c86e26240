"""Modules that do not load, and settings that can't be used: one line why, exit code 1."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from conformance.client import BROKEN, eventually
from conformance.languages import Language

SETTINGS = "the controller sets these, and refuses what is wrong itself"


@pytest.mark.each("broken")
def test_module_that_does_not_load(starter: Any, kind: Any) -> None:
    server = starter.launch(kind.source)
    assert server.wait(20) == 1
    for text in (server.output(), server.termination()):
        first = text.partition("\n")[0]
        assert first.startswith("kubeless: ")
        assert kind.reason in first


def test_traceback_of_a_module_that_does_not_load(starter: Any, language: Language) -> None:
    broken = {one.name: one for one in language.broken}
    server = starter.launch(broken["error"].source)
    server.wait(20)
    for text in (server.output(), server.termination()):
        assert f"fn{language.suffix}" in text
        assert f"images/{language.name}" not in text


@pytest.mark.process(SETTINGS)
def test_missing_file(starter: Any, language: Language) -> None:
    server = starter.launch(language.source("echo"), env={"MOD_NAME": "other"})
    assert server.wait(20) == 1
    expected = f"there is no {server.volume}/other{language.suffix}; {server.volume} has: fn{language.suffix}"
    assert server.wrote(expected)


def test_module_that_never_ends_loading_is_not_ready(starter: Any, language: Language) -> None:
    server = starter.launch(language.endless)
    eventually(lambda: "loading" in server.output(), "the module begins")
    with pytest.raises(BROKEN):
        server.request(path="/healthz", timeout=1)


@pytest.mark.process("a pod's signals belong to its kubelet")
def test_sigterm_while_the_module_loads(starter: Any, language: Language) -> None:
    server = starter.launch(language.endless)
    eventually(lambda: "loading" in server.output(), "the module begins")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < server.timeout / 2  # not when a call would be over


@pytest.mark.process(SETTINGS)
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FUNC_TIMEOUT", "abc", "FUNC_TIMEOUT is 'abc': expected a number of seconds"),
        ("FUNC_TIMEOUT", "-1", "FUNC_TIMEOUT is '-1': expected a number of seconds"),
        ("FUNC_TIMEOUT", "nan", "FUNC_TIMEOUT is 'nan': expected a number of seconds"),
        ("FUNC_PORT", "70000", "FUNC_PORT is '70000': expected a whole number from 1 to 65535"),
        ("FUNC_CONCURRENCY", "1.5", "FUNC_CONCURRENCY is '1.5': expected a whole number"),
        ("FUNC_CORS", "maybe", "FUNC_CORS is 'maybe': expected true or false"),
        ("KUBELESS_ACCESS_LOG", "x", "KUBELESS_ACCESS_LOG is 'x': expected true or false"),
        (
            "KUBELESS_DRAIN_DELAY",
            "-2",
            "KUBELESS_DRAIN_DELAY is '-2': expected a number of seconds",
        ),
        ("KUBELESS_WORKERS", "x", "KUBELESS_WORKERS is 'x': expected a whole number"),
        ("FUNC_MEMFILE_MAX", "1MB", "FUNC_MEMFILE_MAX is '1MB': expected a whole number"),
        ("REQ_MB_LIMIT", "x", "REQ_MB_LIMIT is 'x': expected a whole number"),
        ("MOD_NAME", None, "MOD_NAME is not set"),
        ("FUNC_HANDLER", "", "FUNC_HANDLER is not set"),
        ("MOD_NAME", "../x", "MOD_NAME is '../x': expected the module's name, not a path"),
    ],
)
def test_wrong_setting_is_one_line_and_exit_1(
    starter: Any, language: Language, name: str, value: str | None, expected: str
) -> None:
    server = starter.launch(language.source("echo"), env={name: value})
    assert server.wait(20) == 1
    assert server.output().startswith(f"kubeless: {expected}")
    assert server.output().count("\n") == 1


@pytest.mark.process("a pod has its ports to itself")
def test_port_in_use(starter: Any, language: Language) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = starter.launch(language.source("echo"), env={"FUNC_PORT": port})
        assert server.wait(20) == 1
        assert server.output().startswith(f"kubeless: can't use port {port} (FUNC_PORT): ")
