"""Handlers that raise, exit, or return what can't be sent: the client learns that, the log learns why."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.client import Client, eventually
from conformance.languages import Language


@pytest.fixture
def failures(shared: Any) -> Client:
    client: Client = shared("failures")
    return client


@pytest.mark.each("failures")
def test_failing_handler_is_500_and_the_server_goes_on(failures: Client, kind: str) -> None:
    before = failures.metric("function_failures_total", method="POST")
    for _ in range(2):
        reply = failures.post(kind)
        assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert failures.get().text == "ok"
    assert failures.metric("function_failures_total", method="POST") == before + 2


@pytest.mark.process("pods may have no right to be traced")
def test_failures_cost_no_process(shared: Any, language: Language) -> None:
    server = shared("failures")
    before = server.workers()
    for kind in language.failures:
        assert server.post(kind).status == 500
    assert server.workers() == before


def test_traceback_is_in_the_log_only(failures: Any, language: Language) -> None:
    assert "secret" not in failures.post("raise").text
    eventually(lambda: "a secret of the function" in failures.output(), "the log says why")
    trace = failures.output()
    assert f"fn{language.suffix}" in trace  # where in the function
    assert f"images/{language.name}" not in trace  # and nothing of the server
    assert "/opt/kubeless" not in trace


def test_unsendable_value_is_told_in_the_log(failures: Any) -> None:
    assert failures.post("unsendable").status == 500
    eventually(lambda: "kubeless: " in failures.output(), "the log says why")
