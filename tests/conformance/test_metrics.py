"""/metrics as Prometheus reads it, and the log."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from conformance.client import eventually


def test_metrics_count_calls_by_method(start: Any) -> None:
    server = start("failures")
    for _ in range(3):
        server.get()
    server.post("x")
    server.post("raise")
    metrics = server.metrics()
    get, post = (("method", "GET"),), (("method", "POST"),)
    assert metrics["function_calls_total", get] == 3
    assert metrics["function_calls_total", post] == 2
    assert metrics["function_failures_total", get] == 0
    assert metrics["function_failures_total", post] == 1
    assert metrics["function_duration_seconds_count", get] == 3
    assert 0 < metrics["function_duration_seconds_sum", get] < 3


def test_duration_is_a_histogram(start: Any) -> None:
    server = start("busy")
    server.post("0.3")
    server.post("0.001")
    buckets = sorted(
        (math.inf if bound == "+Inf" else float(bound), value)
        for (name, labels), value in server.metrics().items()
        if name == "function_duration_seconds_bucket"
        and ("method", "POST") in labels
        and (bound := dict(labels)["le"])
    )
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert buckets[-1] == (math.inf, 2)
    assert {value for bound, value in buckets if 0.1 <= bound <= 0.25} == {1}
    assert {value for bound, value in buckets if bound >= 1} == {2}


def test_types_and_help_are_declared(shared: Any) -> None:
    reply = shared("failures").get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name, kind in (
        ("function_duration_seconds", "histogram"),
        ("function_calls_total", "counter"),
        ("function_failures_total", "counter"),
    ):
        assert f"# TYPE {name} {kind}\n" in reply.text
        assert f"# HELP {name} " in reply.text
    assert reply.text.endswith("\n")


def test_any_method_is_no_new_series(start: Any) -> None:
    """A client must not be able to fill the memory with series."""
    server = start("failures")
    for method in ("PURGE", "REPORT", "PROPFIND", "LOCK"):
        server.request(method)
    methods = {dict(labels)["method"] for (name, labels) in server.metrics() if "calls" in name}
    assert len(methods) <= 4
    assert {m for m in methods if m not in ("PURGE", "REPORT", "PROPFIND", "LOCK")} <= {"OTHER"}


def test_probes_and_scrapes_are_no_calls(start: Any) -> None:
    server = start("failures")
    for _ in range(3):
        server.get("/healthz")
        server.get("/metrics")
    assert server.metric("function_calls_total", method="GET") == 0


@pytest.mark.process("KUBELESS_WORKERS is not a Function's to set")
def test_metrics_are_summed_over_workers(start: Any) -> None:
    server = start("failures", env={"KUBELESS_WORKERS": "2"})
    for _ in range(20):
        server.get()
    assert {server.metric("function_calls_total", method="GET") for _ in range(10)} == {20}


LINE = (
    r"[0-9.]+ - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
    r'"GET /a\\x0ab\?q=1 HTTP/1\.1" 200 2 "http://from/" "x\\x22y" \d+/\d+'
)


def test_access_log_in_the_common_form(start: Any) -> None:
    server = start("failures")
    server.get("/a%0ab?q=1", **{"User-Agent": 'x"y', "Referer": "http://from/"})
    line = eventually(lambda: re.search(r".*q=1.*", server.output()), "the line is there")[0]
    assert re.fullmatch(LINE, line), line


def test_client_cannot_forge_a_line(start: Any) -> None:
    server = start("failures")
    sent = b'GET /forged HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b[31m\xff\\"\r\nConnection: close\r\n\r\n'
    server.raw(sent, timeout=5)
    server.get("/%1b%5b2J%0d%0aforged2")
    eventually(lambda: "forged2" in server.output(), "the lines are there")
    output = server.output()
    assert "\x1b" not in output
    assert not [line for line in output.splitlines() if line.startswith("forged")]


def test_probes_and_scrapes_are_not_logged(start: Any) -> None:
    server = start("failures")
    server.get("/healthz")
    server.get("/metrics")
    server.get("/seen")
    eventually(lambda: "/seen" in server.output(), "the line is there")
    assert "healthz" not in server.output()
    assert "/metrics" not in server.output()


def test_every_kind_of_answer_is_logged(start: Any) -> None:
    server = start("failures", env={"FUNC_MEMFILE_MAX": "20"})
    server.post("raise")
    server.post("{", "application/json")
    server.post("x" * 21)
    for status in (500, 400, 413):
        eventually(lambda s=status: f'"POST / HTTP/1.1" {s} ' in server.output(), f"a {status}")


def test_access_log_can_be_turned_off(start: Any) -> None:
    server = start("failures", env={"KUBELESS_ACCESS_LOG": "false"})
    server.get("/unseen")
    assert "/unseen" not in server.output()


def test_prints_are_unbuffered(start: Any) -> None:
    server = start("prints", env={"KUBELESS_ACCESS_LOG": "false"})
    assert server.get().text == "printed"
    for text in ("to stdout é", "to stderr"):
        eventually(lambda t=text: t in server.output(), text, 1)


@pytest.mark.process("a container's log shows a line only when it is ended")
def test_open_line_is_unbuffered(start: Any) -> None:
    server = start("prints")
    assert server.get().text == "printed"
    eventually(lambda: "an open line" in server.output(), "the open line", 1)
