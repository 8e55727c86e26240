"""What a handler is called with: the event's data and fields, the context, the request."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conformance.client import Client, eventually
from conformance.languages import Language
from conformance.server import MEMORY_LIMIT

JSON = "application/json"
MULTIPART = (
    b'--xx\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nhello\r\n--xx--\r\n"
)


@pytest.fixture
def echo(shared: Any) -> Client:
    client: Client = shared("echo")
    return client


def value(reply: Any) -> Any:
    """The event's data that was JSON."""
    assert reply.status == 200, reply.text
    return reply.json()["data"]["value"]


def text(reply: Any) -> tuple[str, bytes]:
    """The type and bytes of the event's data that was a text."""
    assert reply.status == 200, reply.text
    data = reply.json()["data"]
    return data["type"], base64.b64decode(data["base64"])


@pytest.mark.parametrize(
    "sent", [{"a": [1, None, True]}, [], {}, 0, 1.5, None, True, False, {"é": "☃\U0001f600"}], ids=repr
)  # fmt: skip
def test_json_is_parsed(echo: Client, sent: Any) -> None:
    assert value(echo.json(sent)) == sent


def test_json_text_is_parsed(echo: Client) -> None:
    assert text(echo.json("é"))[1] == "é".encode()


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_json_is_told_by_media_type_without_parameters(echo: Client, content_type: str) -> None:
    assert value(echo.post("[1]", content_type)) == [1]


def test_empty_json_body_is_never_invalid(echo: Client, language: Language) -> None:
    assert value(echo.post("", JSON)) == language.no_json
    assert value(echo.get(**{"Content-Type": JSON})) == language.no_json


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json2",
     "text/plain; x=application/json", "application/cloudevents+json"],
)  # fmt: skip
def test_other_data_is_not_parsed(echo: Client, language: Language, content_type: str) -> None:
    assert text(echo.post('{"a": 1}', content_type)) == (language.text, b'{"a": 1}')


def test_unicode_text(echo: Client) -> None:
    sent = "é ☃ \U0001f600".encode()
    assert text(echo.post(sent, "text/plain; charset=utf-8"))[1] == sent


def test_binary_data(echo: Client, language: Language) -> None:
    sent = bytes(range(256)) * 3
    assert text(echo.post(sent, "application/octet-stream")) == (
        language.text,
        language.binary(sent),
    )


def test_multipart(echo: Client, language: Language) -> None:
    reply = echo.post(MULTIPART, "multipart/form-data; boundary=xx")
    assert text(reply) == (language.text, language.multipart(MULTIPART))


def test_no_body_is_an_empty_text(echo: Client, language: Language) -> None:
    assert text(echo.get()) == (language.text, b"")
    assert text(echo.post("")) == (language.text, b"")


def test_chunked_body_is_joined(echo: Client) -> None:
    reply = echo.raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"2\r\n[1\r\n3;ext=1\r\n,2]\r\n0\r\n\r\n",
        timeout=10,
    )
    assert value_of(reply) == [1, 2]


def value_of(reply: bytes) -> Any:
    """The event's data in an answer that was read as bytes."""
    start, end = reply.index(b"{"), reply.rindex(b"}")
    return json.loads(reply[start : end + 1])["data"]["value"]


@pytest.mark.parametrize(
    ("body", "line", "column", "char"),
    [
        ('{"a": }', 1, 7, 6),
        ("[1,\n2x]", 2, 2, 5),
        ("nope", 1, 1, 0),
        ('{"é": nope}', 1, 7, 6),
        ("[1] [2]", 1, 5, 4),
    ],
)
def test_invalid_json_is_400_with_the_position(
    echo: Client, body: str, line: int, column: int, char: int
) -> None:
    reply = echo.post(body, JSON)
    assert reply.status == 400
    assert f"line {line} column {column} (char {char})" in reply.text


@pytest.mark.parametrize("body", ["[1,\n2", '"a', '{"a"', "[", '{"a": "\x01"}', '"\\x"', "\\", " "])
def test_invalid_json_is_400_and_says_where(echo: Client, body: str) -> None:
    reply = echo.post(body, JSON)
    assert reply.status == 400
    assert "(char " in reply.text


def test_json_that_is_no_unicode_is_400(echo: Client) -> None:
    assert echo.post(b'"\xff"', JSON).status == 400
    assert echo.post(b'{"a": "\xc3"}', JSON).status == 400


def test_json_nested_too_deeply_is_no_crash(echo: Client) -> None:
    assert echo.post("[" * 200_000, JSON).status == 400
    assert echo.get().status == 200


def test_invalid_json_does_not_reach_the_handler(shared: Any) -> None:
    server = shared("busy")
    before = server.metric("function_calls_total", method="POST")
    assert server.post("{", JSON).status == 400
    assert server.metric("function_calls_total", method="POST") == before


# The forms of the command line, of Kafka and of cron.
@pytest.mark.parametrize(
    "when",
    ["2021-01-01T10:00:00Z", "2021-01-01 10:00:00.123 +0000 UTC", "2021-01-01 10:00:00+00:00"],
)
def test_event_headers_reach_the_handler_unchanged(echo: Client, when: str) -> None:
    sent = {
        "event-id": "7", "event-type": "application/json", "event-time": when,
        "event-namespace": "cli.kubeless.io",
    }  # fmt: skip
    assert echo.get("/", **sent).json()["event"] == sent


def test_event_without_headers_has_none(echo: Client) -> None:
    assert echo.get().json()["event"] == dict.fromkeys(
        ("event-id", "event-type", "event-time", "event-namespace")
    )


CE = {"ce-id": "1", "ce-type": "t", "ce-time": "2021-01-01T10:00:00Z", "ce-source": "/s"}


def test_cloudevents_headers_fill_what_is_missing(echo: Client) -> None:
    assert echo.get("/", **CE).json()["event"] == {
        "event-id": "1", "event-type": "t", "event-time": "2021-01-01T10:00:00Z",
        "event-namespace": "/s",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["id", "type", "time", "namespace"])
def test_event_headers_come_before_those_of_cloudevents(echo: Client, name: str) -> None:
    seen = echo.get("/", **CE, **{f"event-{name}": "ours"}).json()["event"]
    assert seen[f"event-{name}"] == "ours"
    assert list(seen.values()).count("ours") == 1


def test_cloudevent_with_a_body(echo: Client) -> None:
    reply = echo.post('{"a": 1}', JSON, **CE)
    assert value(reply) == {"a": 1}
    assert reply.json()["event"]["event-id"] == "1"


def test_event_has_these_keys(echo: Client) -> None:
    assert echo.get().json()["keys"] == [
        "data", "event-id", "event-namespace", "event-time", "event-type", "extensions",
    ]  # fmt: skip


def test_context(shared: Any, language: Language) -> None:
    server = shared("echo", timeout=7)
    assert server.get().json()["context"] == {
        "function-name": "handler", "timeout": language.seven_seconds, "runtime": server.runtime,
        "memory-limit": MEMORY_LIMIT,
    }  # fmt: skip


def test_function_name_is_the_handlers(starter: Any, language: Language) -> None:
    source = language.source("echo").replace("handler(event", "run(event")
    server = starter.source(source.replace(".handler =", ".run ="), handler="run")
    assert server.get().json()["context"]["function-name"] == "run"


def test_module_with_a_hyphen(start: Any) -> None:
    assert start("echo", module="pubsub-echo").get().status == 200


@pytest.mark.process("the controller always sets these two")
def test_context_without_settings(start: Any, language: Language) -> None:
    server = start("echo", env={"FUNC_TIMEOUT": None, "FUNC_MEMORY_LIMIT": None})
    context = server.get().json()["context"]
    assert float(context["timeout"]) == 180.0
    assert type(context["timeout"]) is type(language.seven_seconds)
    assert context["memory-limit"] == "0"


def test_each_call_gets_a_context_of_its_own(echo: Client) -> None:
    assert ["changed" in echo.get().json()["context"] for _ in range(3)] == [False] * 3


def test_request_of_the_call(echo: Client) -> None:
    reply = echo.request("PUT", "/a/b?x=1&y=%20", "body", {"X-Probe": "seen"}).json()
    assert (reply["method"], reply["path"], reply["query"]) == ("PUT", "/a/b", "x=1&y=%20")
    assert reply["headers"]["x-probe"] == "seen"


def test_traceparent_is_passed_on(echo: Client) -> None:
    sent = {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "vendor=1,other=2",
    }
    assert sent.items() <= echo.get("/", **sent).json()["headers"].items()


def test_calls_at_once_see_their_own_events(echo: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def call(number: int) -> bool:
        reply = echo.post(f'{{"n": {number}}}', JSON, **{"event-id": str(number)}).json()
        return (reply["data"]["value"], reply["event"]["event-id"]) == ({"n": number}, str(number))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(call, range(400)))
    eventually(lambda: echo.get().status == 200, "the server is well")
