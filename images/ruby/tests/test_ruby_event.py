"""The event of a Ruby handler: its strings, its request, JSON as Ruby reads it."""

from __future__ import annotations

import json

import pytest

from .conftest import Serve

DATA = """
    def handler(event, _context)
      data = event[:data]
      data.is_a?(String) ? [data.encoding.to_s, data.bytesize, data.frozen?] : { json: data }
    end
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ["UTF-8", 0, False]),
        ("é".encode(), ["UTF-8", 2, False]),
        (b"\xff\x00", ["ASCII-8BIT", 2, False]),
    ],
)
def test_text_is_utf_8_where_it_can_be(serve: Serve, body: bytes, expected: list[object]) -> None:
    assert serve(DATA).post(body).json() == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_json_in_other_encodings(serve: Serve, encoding: str) -> None:
    reply = serve(DATA).post('{"a": "é"}'.encode(encoding), "application/json")
    assert reply.json() == {"json": {"a": "é"}}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"a": 1,}', "Expecting property name enclosed in double quotes: line 1 column 9 (char 8)"),
        (b"[1, 2", "Expecting ',' delimiter: line 1 column 6 (char 5)"),
        (b'{"a"\n 1}', "Expecting ':' delimiter: line 2 column 2 (char 6)"),
        (b"[1] x", "Extra data: line 1 column 5 (char 4)"),
        (b'["\xc3\xa9", x]', "Expecting value: line 1 column 7 (char 6)"),
        (b'["abc', "Unterminated string starting at: line 1 column 2 (char 1)"),
        (b'["a\\x"]', "Invalid \\escape: line 1 column 4 (char 3)"),
        (b'["a\x01"]', "Invalid control character: line 1 column 4 (char 3)"),
        (b"NaN", "Expecting value: line 1 column 1 (char 0)"),
        (b"[1, // x\n2]", "Expecting value: line 1 column 5 (char 4)"),
        (b"[1] /* x */", "Extra data: line 1 column 5 (char 4)"),
        (b'"a\xff"', "not UTF-8: byte 2"),
        (b"[" * 1001, "nested too deeply"),
    ],
)  # fmt: skip
def test_invalid_json_and_where(serve: Serve, body: bytes, where: str) -> None:
    reply = serve(DATA).post(body, "application/json")
    assert (reply.status, reply.text) == (400, f"Invalid JSON in the request's body: {where}")


def test_json_text_may_look_like_a_comment(serve: Serve) -> None:
    data = {"a": "http://x/*", '\\"//': ["/**/", "\\"]}
    assert serve(DATA).post(json.dumps(data), "application/json").json() == {"json": data}


def test_rack_is_loaded_only_for_those_who_look(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, _context)
          before = defined?(Rack).nil?
          request = event[('exten' + 'sions').to_sym][:request]
          body = request.body.read
          request.body.rewind
          [before, request.class.name, request.params, body]
        end
        """
    )
    reply = server.request(
        "POST", "/?a=1", "b=2", {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert reply.json() == [True, "Rack::Request", {"a": "1", "b": "2"}, "b=2"]


@pytest.mark.parametrize(
    "expression",
    [
        "extensions[:request]", "extensions.fetch(:request)", "event.dig(:extensions, :request)",
        "extensions.values.first", "extensions.to_h[:request]", "extensions.slice(:request)[:request]",
        "extensions.each { |_, v| break v }", "(extensions => { request:; **nil }; request)",
        "(event => { extensions: { request: } }; request)", "extensions.values_at(:request).first",
        "extensions.merge({})[:request]",
    ],
)  # fmt: skip
def test_every_way_to_read_the_extensions(serve: Serve, expression: str) -> None:
    expression = expression.replace("request:; **nil", "request:")
    server = serve(
        f"""
        def handler(event, _context)
          extensions = event[:extensions]
          {expression}.path_info
        end
        """
    )
    assert server.get("/seen").text == "/seen"


def test_event_is_a_hash_that_prints_itself(serve: Serve) -> None:
    server = serve("def handler(event, _context) = [event.class, event.inspect].join(' ')")
    text = server.post("body").text
    assert text.startswith("Hash {")
    assert '"body"' in text
    assert "Rack::Request" in text


def test_json_needs_no_require_and_keys_are_text(serve: Serve) -> None:
    server = serve("def handler(event, _context) = JSON.pretty_generate(event[:data]['a'])")
    assert server.json({"a": [1]}).text == "[\n  1\n]"
