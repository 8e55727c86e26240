"""What a Ruby handler may return."""

from __future__ import annotations

import http.client

import pytest

from conformance.server import Server

from .conftest import Serve

ANSWERS = """
    require 'rack'
    require 'stringio'

    def handler(event, _context)
      request = event[:extensions][:request]
      response = event[:extensions][:response]
      case request.path_info
      when '/triplet' then [201, { 'X-A' => 'b' }, ['one', 'two']]
      when '/text-body' then [200, { 'content-type' => 'text/plain' }, 'text']
      when '/nil-body' then [202, {}, nil]
      when '/json-list' then [200, 'x', 'y']
      when '/symbol' then :word
      when '/rack-response' then Rack::Response.new(['made'], 203, { 'x-from' => 'rack' })
      when '/cookies'
        Rack::Response.new('x').tap { |r| r.set_cookie('a', '1'); r.set_cookie('b', '2') }
      when '/status'
        response.status = 404
        response['x-from'] = 'event'
        'not here'
      when '/written'
        response.write('written')
        nil
      when '/redirect'
        response.redirect('/elsewhere')
        nil
      when '/stringio' then StringIO.new('from a file')
      when '/file' then File.open(__FILE__)
      when '/enumerator' then %w[a b c].each
      when '/each' then Class.new { def each = yield('each') }.new
      when '/callable' then [200, {}, ->(out) { out << 'called'; out.write(' out'); out.close }]
      when '/object' then Object.new
      when '/bad-status' then [99, {}, ['x']]
      when '/bad-header' then [200, { 'a b' => 'c' }, ['x']]
      when '/bad-cookie' then [200, { 'set-cookie' => "a=1\\r\\nb=2" }, ['x']]
      when '/bad-body' then [200, {}, [1]]
      when '/bad-stream' then [1, 2].each
      when '/deep' then 2000.times.inject([]) { |inner, _| [inner] }
      when '/latin' then { text: "\\xE9" }
      end
    end
"""


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/triplet", 201, "onetwo"),
        ("/text-body", 200, "text"),
        ("/nil-body", 202, ""),
        ("/json-list", 200, '[200,"x","y"]'),
        ("/symbol", 200, "word"),
        ("/rack-response", 203, "made"),
        ("/status", 404, "not here"),
        ("/written", 200, "written"),
        ("/redirect", 302, ""),
        ("/stringio", 200, "from a file"),
        ("/enumerator", 200, "abc"),
        ("/each", 200, "each"),
        ("/callable", 200, "called out"),
    ],
)
def test_return_values(serve: Serve, path: str, status: int, text: str) -> None:
    reply = serve(ANSWERS).get(path)
    assert (reply.status, reply.text) == (status, text)


def test_headers_of_responses(serve: Serve) -> None:
    server = serve(ANSWERS)
    assert server.get("/triplet").headers["x-a"] == "b"
    assert server.get("/triplet").headers["content-type"] == "text/html; charset=utf-8"
    assert server.get("/text-body").headers["content-type"] == "text/plain"
    assert server.get("/rack-response").headers["x-from"] == "rack"
    assert server.get("/status").headers["x-from"] == "event"
    assert server.get("/redirect").headers["location"] == "/elsewhere"


def test_several_cookies_are_several_lines(serve: Serve) -> None:
    raw = serve(ANSWERS).raw(
        b"GET /cookies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", timeout=5
    )
    assert raw.lower().count(b"set-cookie:") == 2


def test_file_is_sent_whole(serve: Serve) -> None:
    assert "def handler" in serve(ANSWERS).get("/file").text


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/object", "the handler returned a Object; it may return text"),
        ("/bad-header", "the handler returned the header \"a b\": \"c\""),
        ("/bad-cookie", "the handler returned the header \"set-cookie\""),
        ("/bad-body", "the handler's body gave a Integer; it may give Strings"),
        ("/deep", "the handler returned a value that is no JSON: nesting of"),
        ("/latin", "the handler returned a value that is no JSON: "),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_500_and_told_in_the_log(
    serve: Serve, path: str, reason: str
) -> None:
    server = serve(ANSWERS)
    reply = server.get(path)
    assert (reply.status, reply.text) == (500, "Internal Server Error")
    assert server.wrote(f"kubeless: {reason}")


def test_list_that_begins_with_no_status_is_json(serve: Serve) -> None:
    assert serve(ANSWERS).get("/bad-status").json() == [99, {}, ["x"]]


def test_stream_of_what_is_no_text_is_cut_off(serve: Serve) -> None:
    server = serve(ANSWERS)
    worker = server.workers()
    with pytest.raises((http.client.HTTPException, OSError)):
        server.get("/bad-stream")
    assert server.wrote("the handler's body gave a Integer")
    assert server.workers() == worker


def test_ways_to_end_the_handlers_thread_or_process_are_500(serve: Serve) -> None:
    server: Server = serve(
        """
        def handler(event, _context)
          case event[:data]
          when 'thread' then Thread.exit
          when 'throw' then throw :nothing
          when 'abort' then abort('said')
          when 'interrupt' then raise Interrupt
          else 'ok'
          end
        end
        """
    )
    workers = server.workers()
    for way in ("thread", "throw", "abort", "interrupt"):
        assert server.post(way).status == 500, way
        assert server.post("").text == "ok"
    assert server.workers() == workers
    assert server.metric("function_failures_total", method="POST") == 4
