"""event.extensions: the request and response that handlers know from Express."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import PACKAGES, Start


def calling(body: str) -> str:
    return (
        "module.exports = (event) => {\n"
        "  const { request: req, response: res } = event.extensions;\n"
        f"  {body}\n}};"
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("req.method", "POST"),
        ("req.path", "/a/b"),
        ("req.originalUrl", "/a/b?x[y]=1&z=2&z=3"),
        ("req.query", {"x": {"y": "1"}, "z": ["2", "3"]}),
        ("req.params", {"0": "/a/b"}),
        ("req.get('x-probe')", "seen"),
        ("req.header('X-Probe')", "seen"),
        ("req.is('text/*')", "text/plain"),
        ("req.is('json')", False),
        ("req.accepts(['html', 'json'])", "json"),
        ("req.hostname", "example.com"),
        ("req.protocol", "http"),
        ("req.secure", False),
        ("req.xhr", False),
        ("req.subdomains", []),
        ("['127.0.0.1', '::ffff:127.0.0.1'].includes(req.ip)", True),
        ("Buffer.isBuffer(req.body) && req.body.toString()", "the body"),
        ("event.data", "the body"),
        ("req.res === res && res.req === req", True),
        ("typeof req.app.get('etag fn')", "function"),
        ("Object.keys(event).includes('extensions')", True),
    ],
)  # fmt: skip
def test_request(serve: Start, expression: str, value: Any) -> None:
    server = serve(calling(f"return JSON.stringify({expression});"))
    headers = {"Host": "example.com:8080", "X-Probe": "seen", "Content-Type": "text/plain", "Accept": "application/json"}  # fmt: skip
    reply = server.request("POST", "/a/b?x[y]=1&z=2&z=3", "the body", headers)
    assert reply.json() == value


@pytest.mark.parametrize(
    ("body", "status", "headers", "text"),
    [
        ("res.status(201).send('made')", 201, {"content-type": "text/html; charset=utf-8"}, "made"),
        ("res.send({a: 1})", 200, {"content-type": "application/json; charset=utf-8"}, '{"a":1}'),
        ("res.json([1])", 200, {"content-type": "application/json; charset=utf-8"}, "[1]"),
        ("res.send(Buffer.from('x'))", 200, {"content-type": "application/octet-stream"}, "x"),
        ("res.set('X-A', 'b').header('X-C', 'd').end('x')", 200, {"x-a": "b", "x-c": "d"}, "x"),
        ("res.set({'X-A': 'b'}).type('txt').send('x')", 200,
         {"x-a": "b", "content-type": "text/plain; charset=utf-8"}, "x"),
        ("res.redirect('/there')", 302, {"location": "/there"}, "Found. Redirecting to /there"),
        ("res.redirect(301, 'https://a/')", 301, {"location": "https://a/"}, None),
        ("res.sendStatus(404)", 404, {}, "Not Found"),
        ("res.cookie('a', 'b c', {httpOnly: true}).end()", 200,
         {"set-cookie": "a=b%20c; Path=/; HttpOnly"}, ""),
        ("res.clearCookie('a').end()", 200,
         {"set-cookie": "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, ""),
        ("res.vary('X-A').location('/l').links({next: '/n'}).end()", 200,
         {"vary": "X-A", "location": "/l", "link": '</n>; rel="next"'}, ""),
        ("res.attachment('a.txt').send('x')", 200,
         {"content-disposition": 'attachment; filename=a.txt'}, "x"),
        ("res.append('X-A', 'b').append('X-A', 'c').end()", 200, {"x-a": "c"}, ""),
        ("res.format({text: () => res.send('t'), json: () => res.send('{}')})", 200, {}, "t"),
        ("res.writeHead(202, {'X-A': 'b'}); res.write('1'); res.end('2')", 202, {"x-a": "b"}, "12"),
        # What a handler returns is sent with what it set, unless it answered.
        ("res.status(201).set('X-A', 'b'); return 'returned'", 201,
         {"x-a": "b", "content-length": "8"}, "returned"),
        ("res.type('text/csv'); return 'a,b'", 200, {"content-type": "text/csv; charset=utf-8"}, "a,b"),
        ("res.status(204); return undefined", 204, {}, ""),
        ("res.send('sent'); return 'returned'", 200, {}, "sent"),
        ("return res.status(202).send('sent')", 202, {}, "sent"),
        ("return res.status(202)", 202, {}, ""),
        ("return require('stream').Readable.from(['a', 'b']).pipe(res)", 200, {}, "ab"),
        ("return new Promise((done) => setTimeout(() => { res.send('later'); done(); }, 20))", 200, {}, "later"),
    ],
)  # fmt: skip
def test_response(serve: Start, body: str, status: int, headers: dict[str, str], text: str | None) -> None:  # fmt: skip
    reply = serve(calling(body)).get()
    assert reply.status == status
    shown = dict(reply.headers)
    assert {name: shown.get(name) for name in headers} == headers
    assert text is None or reply.text == text


def test_etag_of_express_answers_304(serve: Start) -> None:
    server = serve(calling("res.send('text')"))
    etag = server.get().headers["etag"]
    assert server.get("/", **{"If-None-Match": etag}).status == 304


def test_send_file(serve: Start) -> None:
    server = serve(
        calling(
            "return new Promise((done, failed) =>\n"
            "    res.sendFile(req.path, {root: __dirname}, (error) => (error ? failed(error) : done())));"
        )
    )
    assert "sendFile" in server.get("/fn.js").text
    assert server.get("/none").status == 500


def test_calls_of_the_handlers_own_answers_are_counted_and_logged(serve: Start) -> None:
    server = serve(calling("res.status(Number(event.data)).send('four');"))
    assert [server.post(status).status for status in ("200", "404", "503")] == [200, 404, 503]
    assert server.metric("function_calls_total", method="POST") == 3
    assert server.metric("function_failures_total", method="POST") == 1
    assert server.wrote('"POST / HTTP/1.1" 404 4 ')


def test_failure_before_the_answer_takes_back_what_was_set(serve: Start) -> None:
    reply = serve(calling("res.status(201).set('X-A', 'b'); throw new Error('x');")).get()
    assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert "x-a" not in reply.headers


def test_cors_on_an_answer_of_express(serve: Start) -> None:
    server = serve(calling("res.send('x')"), env={"FUNC_CORS": "true"})
    assert server.get().headers["access-control-allow-origin"] == "*"


MULTER = """
    const multer = require('multer');
    const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 100000 } });
    module.exports = async (event) => {
      const { request, response } = event.extensions;
      await new Promise((done, failed) =>
        upload.any()(request, response, (error) => (error ? failed(error) : done())));
      return { data: event.data, body: request.body, files: request.files.map((f) => [f.originalname, f.size]) };
    };
"""


def test_multer_reads_the_request(serve: Start) -> None:
    server = serve(MULTER, env={"NODE_PATH": str(PACKAGES)})
    large = "x" * 99_000
    body = (
        '--xx\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        '--xx\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
        f"Content-Type: text/plain\r\n\r\n{large}\r\n--xx--\r\n"
    )
    for _ in range(3):
        reply = server.post(body, "multipart/form-data; boundary=xx")
        assert reply.status == 200, server.output()
        assert reply.json() == {"data": "", "body": {"note": "hello"}, "files": [["a.txt", 99_000]]}


def test_multipart_that_nobody_reads(serve: Start) -> None:
    server = serve("module.exports = () => 'unread';")
    body = "--xx\r\n" + "x" * 1_000_000
    for _ in range(3):
        assert server.post(body, "multipart/form-data; boundary=xx").text == "unread"


def test_announced_multipart_over_the_limit(serve: Start) -> None:
    server = serve("module.exports = () => 'unread';", env={"FUNC_MEMFILE_MAX": "10"})
    assert server.post("x" * 11, "multipart/form-data; boundary=xx").status == 413
