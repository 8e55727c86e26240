"""What only a Node.js handler can return, and errors that nobody caught."""

from __future__ import annotations

import random

import pytest

from conformance.client import eventually

from .conftest import Start


def returning(expression: str) -> str:
    return f"module.exports = (event) => {expression};"


@pytest.mark.parametrize(
    ("expression", "status", "content_type", "body"),
    [
        ("Promise.resolve('x')", 200, "text/html; charset=utf-8", b"x"),
        ("null", 200, "text/html; charset=utf-8", b""),
        ("new Uint8Array([1, 2])", 200, "application/octet-stream", b"\x01\x02"),
        ("new Uint16Array([1]).buffer", 200, "application/octet-stream", b"\x01\x00"),
        ("new Date(0)", 200, "application/json", b'"1970-01-01T00:00:00.000Z"'),
        ("({ then: (done) => done([1]) })", 200, "application/json", b"[1]"),
        ("(function* () { yield 'a'; yield Buffer.from('b'); })()", 200, "text/html; charset=utf-8", b"ab"),
        ("require('stream').Readable.from(['a', 'b'])", 200, "text/html; charset=utf-8", b"ab"),
        ("new Blob(['a', 'b']).stream()", 200, "text/html; charset=utf-8", b"ab"),
        ("new Response('made', {status: 201, headers: {'content-type': 'text/x'}})", 201, "text/x", b"made"),
        ("Response.json({a: 1})", 200, "application/json", b'{"a":1}'),
        ("new Response(null, {status: 204})", 204, None, b""),
    ],
)  # fmt: skip
def test_values(serve: Start, expression: str, status: int, content_type: str | None, body: bytes) -> None:  # fmt: skip
    reply = serve(returning(expression)).get()
    assert (reply.status, reply.headers.get("content-type"), reply.body) == (status, content_type, body)  # fmt: skip


def test_cookies_of_a_response(serve: Start) -> None:
    source = returning(
        "new Response('', {headers: [['set-cookie', 'a=b'], ['set-cookie', 'c=d']]})"
    )
    received = serve(source).raw(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", timeout=5
    )
    assert received.lower().count(b"\r\nset-cookie: ") == 2


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("() => 1", "the handler returned a function; it may return text"),
        ("10n", "the handler returned a bigint"),
        ("Symbol('x')", "the handler returned a symbol"),
        ("({ a: 10n })", "the handler returned a value that is no JSON"),
        ("[{}].values()", "the handler's stream gave a object; it may give text or bytes"),
        ("({ toJSON() { throw new Error('no'); } })", "the handler returned a value that is no JSON: no"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_500(serve: Start, expression: str, reason: str) -> None:
    server = serve(returning(expression))
    reply = server.get()
    assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert server.wrote(f"kubeless: {reason}")


@pytest.mark.parametrize(
    "body",
    [
        "setImmediate(() => { throw new Error('uncaught'); }); return new Promise(() => {});",
        "Promise.reject(new Error('uncaught')); return new Promise(() => {});",
        "process.nextTick(() => process.exit(0)); return new Promise(() => {});",
        "new (require('events'))().emit('error', new Error('uncaught'));",
        "throw undefined;",
        "throw Object.create(null);",
        "throw new Proxy({}, { get() { throw 1; } });",
        "return new Proxy({}, { get() { throw new Error('trap'); } });",
    ],
)
def test_error_that_nobody_caught_is_500_and_the_server_goes_on(serve: Start, body: str) -> None:
    server = serve(f"module.exports = (event) => {{ if (event.data) {{ {body} }} return 'ok'; }};")
    workers = server.workers()
    for _ in range(3):
        assert server.post("x").status == 500
    assert server.get().text == "ok"
    assert server.workers() == workers


def test_error_of_nobodys_is_logged(serve: Start) -> None:
    server = serve(
        "module.exports = () => { setTimeout(() => { throw new Error('after the answer'); }, 10); return 'ok'; };"
    )
    assert server.get().text == "ok"
    eventually(lambda: "after the answer" in server.output(), "the log says so")
    assert server.get().text == "ok"


def test_random_bytes_never_end_the_server(serve: Start) -> None:
    server = serve("module.exports = (event) => event.data;")
    workers = server.workers()
    chance = random.Random(7)
    whole = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[1, 2, 3]"
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.randint(1, len(data))])
        with server.socket() as sock:
            sock.sendall(cut)
    assert server.post("[1]", "application/json").json() == [1]
    assert server.workers() == workers
