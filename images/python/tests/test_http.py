"""Paths, methods, limits, headers, metrics, logs."""

from __future__ import annotations

import re

import pytest

from .conftest import Serve, eventually
from .test_response import in_parallel

ECHO = """
    def handler(event, context):
        request = event["extensions"]["request"]
        return [request.method, request.path]
"""


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_every_method_reaches_the_handler(serve: Serve, method: str) -> None:
    assert serve(ECHO).request(method, "/x").json() == [method, "/x"]


@pytest.mark.parametrize("path", ["/", "/a/b/c", "/healthz/", "/metrics/x", "//", "/%2e%2e/a"])
def test_every_path_reaches_the_handler(serve: Serve, path: str) -> None:
    assert serve(ECHO).get(path).json()[0] == "GET"


def test_only_get_is_the_servers_on_healthz_and_metrics(serve: Serve) -> None:
    server = serve(ECHO)
    assert server.get("/healthz").text == "OK"
    assert server.request("POST", "/healthz").json() == ["POST", "/healthz"]
    assert server.request("POST", "/metrics").json() == ["POST", "/metrics"]


def test_head_has_headers_and_no_body(serve: Serve) -> None:
    reply = serve("def handler(event, context):\n    return 'hello'").request("HEAD")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "5")


def test_body_over_the_limit_is_413_without_reading_it(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return 'ok'", env={"FUNC_MEMFILE_MAX": "10"})
    assert server.post("x" * 10).text == "ok"
    assert server.post("x" * 11).status == 413
    announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    reply = server.raw(announced)  # not one byte of it is sent
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 10 bytes" in reply


def test_chunked_body_over_the_limit_is_413(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return 'ok'", env={"FUNC_MEMFILE_MAX": "10"})
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert server.raw(head + b"14\r\n" + b"x" * 20 + b"\r\n").startswith(b"HTTP/1.1 413 ")


def test_limit_in_megabytes(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return 'ok'", env={"REQ_MB_LIMIT": "1"})
    assert server.post(b"x" * 1024 * 1024).status == 200
    for _ in range(5):
        assert server.post(b"x" * (1024 * 1024 + 1)).status == 413
    assert server.post(b"x" * (5 * 1024 * 1024)).status == 413


def test_stalled_client_of_a_refused_body_does_not_stop_the_server(serve: Serve) -> None:
    server = serve(
        "def handler(event, context):\n    return 'ok'", env={"FUNC_MEMFILE_MAX": "10"}, timeout=0.3
    )
    announced = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nabc"
    for _ in range(2):
        assert server.raw(announced, timeout=2).startswith(b"HTTP/1.1 413 ")
        assert server.get().text == "ok"
    assert server.metric("function_failures_total", method="POST") == 0


def test_body_of_fifty_megabytes(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return len(event['data'])")
    assert server.post(b"x" * 50_000_000).json() == 50_000_000


def test_incomplete_body_does_not_reach_the_handler(serve: Serve) -> None:
    server = serve(
        "calls = []\ndef handler(event, context):\n    calls.append(1)\n    return len(calls)"
    )
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert server.get().json() == 1


SLOW = """
    import time
    running, most = [], [0]
    def handler(event, context):
        running.append(1)
        most[0] = max(most[0], len(running))
        try:
            time.sleep(0.2)
        finally:
            running.pop()
        return most[0]
"""


def test_over_the_concurrency_limit_is_503_with_retry_after(serve: Serve) -> None:
    server = serve(SLOW, env={"FUNC_CONCURRENCY": "2"})
    replies = in_parallel(server, 6)
    assert {reply.status for reply in replies} == {200, 503}
    assert max(reply.json() for reply in replies if reply.status == 200) <= 2
    assert all(r.headers["retry-after"] == "1" for r in replies if r.status == 503)
    assert server.get().status == 200


def test_concurrency_of_one_over_several_workers(serve: Serve) -> None:
    server = serve(SLOW, env={"FUNC_CONCURRENCY": "1", "KUBELESS_WORKERS": "4"})
    assert len(server.workers()) == 1
    assert {reply.status for reply in in_parallel(server, 4)} == {200, 503}


def test_concurrency_is_of_all_workers_together(serve: Serve) -> None:
    server = serve(SLOW, env={"FUNC_CONCURRENCY": "3", "KUBELESS_WORKERS": "2"})
    eventually(lambda: len(server.workers()) == 2)
    for _ in range(3):
        replies = in_parallel(server, 12)
        assert 1 <= sum(reply.status == 200 for reply in replies) <= 3


def test_unlimited_concurrency(serve: Serve) -> None:
    server = serve(SLOW)
    assert max(reply.json() for reply in in_parallel(server, 40)) > 20


def test_traceparent_is_passed_through(serve: Serve) -> None:
    server = serve(
        "def handler(event, context):\n"
        "    return event['extensions']['request'].get_header('traceparent')"
    )
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert server.get("/", traceparent=parent).text == parent


def test_cors_is_off_by_default(serve: Serve) -> None:
    server = serve(ECHO)
    reply = server.request("OPTIONS", "/")
    assert reply.json() == ["OPTIONS", "/"]
    assert "access-control-allow-origin" not in reply.headers


def test_cors_on_is_answered_by_the_server(serve: Serve) -> None:
    server = serve(ECHO, env={"FUNC_CORS": "true"})
    asked = {"Origin": "http://a", "Access-Control-Request-Headers": "X-A"}
    preflight = server.request("OPTIONS", "/", headers=asked)
    assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "X-A")
    assert server.get().headers["access-control-allow-origin"] == "*"


def test_metrics_are_prometheus_text(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, context):
            if event["data"] == b"fail":
                raise ValueError
            return "ok"
        """
    )
    for _ in range(3):
        server.get()
    server.post("x")
    server.post("fail")
    assert server.metric("function_calls_total", method="GET") == 3
    assert server.metric("function_failures_total", method="GET") == 0
    assert server.metric("function_failures_total", method="POST") == 1
    assert server.metric("function_duration_seconds_count", method="GET") == 3
    assert server.metric("function_duration_seconds_bucket", method="GET", le="+Inf") == 3
    assert server.metric("function_duration_seconds_sum", method="GET") > 0


def test_metrics_are_summed_over_workers(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return 'ok'", env={"KUBELESS_WORKERS": "2"})
    for _ in range(20):
        server.get()
    assert server.metric("function_calls_total", method="GET") == 20


def test_access_log_in_the_common_form(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return 'hello there'")
    server.get("/a%0ab?q=1", **{"User-Agent": 'x"y'})
    line = eventually(lambda: re.search(r".*q=1.*", server.output()))[0]
    assert re.fullmatch(
        r"127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
        r'"GET /a\\x0ab\?q=1 HTTP/1\.1" 200 11 "" "x\\x22y" \d+/\d+',
        line,
    )
    assert "healthz" not in server.output()


def test_access_log_can_be_turned_off(serve: Serve) -> None:
    server = serve(
        "def handler(event, context):\n    return 'x'", env={"KUBELESS_ACCESS_LOG": "false"}
    )
    server.get()
    assert server.output() == ""


def test_prints_are_unbuffered(serve: Serve) -> None:
    server = serve(
        """
        import sys
        def handler(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            print("part", end="")
        """
    )
    server.get()
    assert "to stdout" in server.output()
    assert "to stderr" in server.output()
    assert "part" in server.output()
