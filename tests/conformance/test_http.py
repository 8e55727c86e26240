"""HTTP itself: paths, methods, connections, malformed requests, CORS."""

from __future__ import annotations

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.client import Client, exchange, receive, statuses


@pytest.fixture
def echo(shared: Any) -> Client:
    client: Client = shared("echo")
    return client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_reaches_the_handler(echo: Client, method: str) -> None:
    assert echo.request(method, "/x").json()["method"] == method


@pytest.mark.parametrize(
    "path",
    ["/", "/a/b/c", "/healthz/", "/healthz/x", "/metrics/x", "/favicon.ico", "//", "/%2e%2e/a",
     "/a//b", "/a%20b", "/%C3%A9", "/%ff", "/%00", "/a.b;c=d", "/a?", "/?x=%zz", "/" + "a" * 2000],
)  # fmt: skip
def test_every_path_reaches_the_handler(echo: Client, path: str) -> None:
    reply = echo.get(path)
    assert (reply.status, reply.json()["method"]) == (200, "GET")


def test_only_get_is_the_servers_on_healthz_and_metrics(echo: Client) -> None:
    assert (echo.get("/healthz").status, echo.get("/healthz").text) == (200, "OK")
    assert echo.get("/healthz?x=1").text == "OK"
    for path in ("/healthz", "/metrics"):
        assert echo.request("POST", path).json()["path"] == path


def test_connection_is_kept(echo: Client) -> None:
    with contextlib.closing(echo.connection()) as connection:
        assert exchange(connection).status == 200
        before = connection.sock
        assert [exchange(connection, "POST", "/", "x").status for _ in range(20)] == [200] * 20
        assert connection.sock is before


def test_connection_is_kept_after_errors(shared: Any) -> None:
    server = shared("echo")
    with contextlib.closing(server.connection()) as connection:
        json = {"Content-Type": "application/json"}
        assert exchange(connection, "POST", "/", "{", json).status == 400
        before = connection.sock
        assert exchange(connection, "POST", "/", "{}", json).status == 200
        assert connection.sock is before


def test_connection_is_closed_when_the_client_asks(echo: Client) -> None:
    with echo.socket() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert statuses(receive(sock)) == [200]
        assert sock.recv(1) == b""


def test_http_1_0_closes(echo: Client) -> None:
    with echo.socket() as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = receive(sock)
        assert received.partition(b"\r\n")[0].endswith(b" 200 OK")
        assert sock.recv(1) == b""


def test_pipelined_requests_are_answered_in_their_order(echo: Client) -> None:
    sent = b"".join(
        b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d" % (n, n) for n in range(20)
    )
    last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = echo.raw(sent + last, timeout=10)
    assert statuses(received) == [200] * 21
    paths = [f'/{n}"'.encode() for n in [*range(20), "last"]]
    places = [received.index(path) for path in paths]
    assert places == sorted(places)


def test_request_that_comes_in_pieces(echo: Client) -> None:
    request = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    with echo.socket() as sock:
        for byte in request:
            sock.sendall(bytes([byte]))
        assert statuses(receive(sock)) == [200]


def test_expect_100_continue(echo: Client) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with echo.socket() as sock:
        sock.sendall(head)
        assert statuses(receive(sock, until=b"100 Continue\r\n\r\n")) == [100]
        sock.sendall(b"abc")
        assert statuses(receive(sock)) == [200]


def test_two_hundred_clients_at_once(echo: Client) -> None:
    def client(number: int) -> list[int]:
        with contextlib.closing(echo.connection()) as connection:
            return [exchange(connection, "POST", f"/{number}", "x" * number).status for _ in "abc"]

    with ThreadPoolExecutor(200) as pool:
        assert {status for found in pool.map(client, range(200)) for status in found} == {200}


def test_clients_that_say_nothing_keep_nobody_waiting(echo: Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(echo.socket()).sendall(b"GET / HT")
        # Those that wait for them would wait for as long as headers may take, which is 30 s.
        assert all(echo.get().seconds < 10 for _ in range(5))


MALFORMED = {
    "no request line": b"\r\n\r\nx\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "length that is no number": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "signed length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "unknown transfer encoding":
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
}  # fmt: skip


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_request_is_refused_and_closed(echo: Client, sent: bytes) -> None:
    received = echo.raw(sent, timeout=3)
    assert not statuses(received) or 400 <= statuses(received)[0] < 600
    assert statuses(received).count(200) == 0
    assert b"Traceback" not in received
    assert echo.get().status == 200


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
BROKEN_OFF = {
    "chunk size that is no number": CHUNKED + b"x\r\n\r\n",
    "chunk longer than said": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "client gone": CHUNKED,
}


@pytest.mark.parametrize("sent", BROKEN_OFF.values(), ids=BROKEN_OFF.keys())
def test_chunked_body_that_breaks_off_does_not_reach_the_handler(echo: Client, sent: bytes) -> None:
    calls = echo.metric("function_calls_total", method="POST")
    with echo.socket(3) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        assert 200 not in statuses(receive(sock))
    assert echo.metric("function_calls_total", method="POST") == calls


def test_smuggled_request_is_not_answered(echo: Client) -> None:
    """Both a length and chunks: the chunks count (RFC 9112, 6.3), or the request is refused."""
    received = echo.raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert b"smuggled" not in received


def test_many_headers_up_to_the_limit_are_passed_on(echo: Client) -> None:
    headers = {f"X-{n}": "v" * 100 for n in range(60)}
    seen = echo.get("/", **headers).json()["headers"]
    assert {name.lower(): value for name, value in headers.items()}.items() <= seen.items()


@pytest.mark.parametrize(
    "header",
    [b"X: " + b"v" * 4_000_000 + b"\r\n", b"".join(b"X-%d: v\r\n" % n for n in range(100_000))],
    ids=["a long one", "many"],
)
def test_headers_over_the_limit_are_refused(echo: Client, header: bytes) -> None:
    received = echo.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n", timeout=5)
    assert statuses(received) in ([], [400], [413], [431])
    assert echo.get().status == 200


def test_cors_is_off_by_default(echo: Client) -> None:
    reply = echo.request("OPTIONS", "/", headers={"Origin": "http://a"})
    assert reply.json()["method"] == "OPTIONS"
    assert "access-control-allow-origin" not in reply.headers


def test_cors_on_is_answered_by_the_server(shared: Any) -> None:
    server = shared("echo", env={"FUNC_CORS": "true"})
    asked = {
        "Origin": "http://a",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "X-A, X-B",
    }
    before = server.metric("function_calls_total", method="OPTIONS")
    preflight = server.request("OPTIONS", "/x", headers=asked)
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-headers"] == "X-A, X-B"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert server.metric("function_calls_total", method="OPTIONS") == before


def test_cors_on_marks_every_answer(shared: Any) -> None:
    server = shared("echo", env={"FUNC_CORS": "true"})
    for reply in (
        server.get(),
        server.post("{", "application/json"),
        server.request("HEAD"),
    ):
        assert reply.headers["access-control-allow-origin"] == "*"
