"""What a handler is called with: event.data, event-*, extensions, context."""

from __future__ import annotations

import pytest

from .conftest import Serve

SHOW = """
    def handler(event, context):
        data = event["data"]
        return {"type": type(data).__name__, "data": data.decode() if isinstance(data, bytes) else data}
"""


def test_json_is_parsed(serve: Serve) -> None:
    assert serve(SHOW).json({"a": [1]}).json() == {"type": "dict", "data": {"a": [1]}}


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"]
)
def test_json_is_told_by_media_type_without_parameters(serve: Serve, content_type: str) -> None:
    assert serve(SHOW).post("[1]", content_type).json()["data"] == [1]


def test_json_in_utf_16(serve: Serve) -> None:
    assert serve(SHOW).post('"é"'.encode("utf-16"), "application/json").json()["data"] == "é"


def test_empty_json_body_is_none(serve: Serve) -> None:
    server = serve(SHOW)
    assert server.post("", "application/json").json() == {"type": "NoneType", "data": None}
    assert server.get(**{"Content-Type": "application/json"}).json()["type"] == "NoneType"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
def test_other_data_is_bytes(serve: Serve, content_type: str) -> None:
    assert serve(SHOW).post('{"a": 1}', content_type).json() == {
        "type": "bytes",
        "data": '{"a": 1}',
    }


def test_no_body_is_empty_bytes(serve: Serve) -> None:
    assert serve(SHOW).get().json() == {"type": "bytes", "data": ""}


def test_chunked_body_is_read(serve: Serve) -> None:
    chunked = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
    )
    assert b'"data": [1, 2]' in serve(SHOW).raw(chunked)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"a": }', "line 1 column 7 (char 6)"),
        ("[1,\n2", "line 2 column 2 (char 5)"),
        ("nope", "char 0"),
    ],
)
def test_invalid_json_is_400_with_the_position(serve: Serve, body: str, where: str) -> None:
    reply = serve(SHOW).post(body, "application/json")
    assert reply.status == 400
    assert where in reply.text


def test_json_that_is_no_unicode_is_400(serve: Serve) -> None:
    assert serve(SHOW).post(b'"\xff"', "application/json").status == 400


def test_json_nested_too_deeply_is_400(serve: Serve) -> None:
    server = serve(SHOW)
    assert server.post("[" * 200_000, "application/json").status == 400
    assert server.get().status == 200


HEADERS = """
    def handler(event, context):
        return {key: event[key] for key in event if key.startswith("event-")}
"""


@pytest.mark.parametrize(
    "when",
    ["2021-01-01T10:00:00Z", "2021-01-01 10:00:00.123 +0000 UTC", "2021-01-01 10:00:00+00:00"],
)
def test_event_headers_reach_the_handler_unchanged(serve: Serve, when: str) -> None:
    sent = {
        "event-id": "7", "event-type": "application/json", "event-time": when,
        "event-namespace": "cli.kubeless.io",
    }  # fmt: skip
    assert serve(HEADERS).get("/", **sent).json() == sent


def test_cloudevents_headers_fill_what_is_missing(serve: Serve) -> None:
    ce = {"ce-id": "1", "ce-type": "t", "ce-time": "2021-01-01T10:00:00Z", "ce-source": "/s"}
    server = serve(HEADERS)
    assert server.get("/", **ce).json() == {
        "event-id": "1", "event-type": "t", "event-time": "2021-01-01T10:00:00Z",
        "event-namespace": "/s",
    }  # fmt: skip
    assert server.get("/", **ce, **{"event-id": "2"}).json()["event-id"] == "2"


def test_event_without_headers_has_none(serve: Serve) -> None:
    assert set(serve(HEADERS).get().json().values()) == {None}


def test_context(serve: Serve) -> None:
    server = serve("def handler(event, context):\n    return context", timeout=7)
    assert server.get().json() == {
        "function-name": "handler", "timeout": 7.0, "runtime": "python", "memory-limit": "128Mi",
    }  # fmt: skip


def test_context_timeout_is_a_float_and_memory_limit_a_string(serve: Serve) -> None:
    server = serve(
        "def handler(event, context):\n    return repr([context['timeout'], context['memory-limit']])",
        env={"FUNC_TIMEOUT": "UNSET", "FUNC_MEMORY_LIMIT": "UNSET"},
    )
    assert server.get().text == "[180.0, '0']"


def test_one_call_cannot_change_the_context_of_the_next(serve: Serve) -> None:
    server = serve(
        "def handler(event, context):\n    context['n'] = 1 + context.get('n', 0)\n    return context['n']"
    )
    assert [server.get().json(), server.get().json()] == [1, 1]


@pytest.mark.parametrize(
    "look",
    [
        'event["extensions"]["request"]', 'event["extensions"].get("request")',
        'dict(event["extensions"])["request"]', '{**event["extensions"]}["request"]',
        'list(event["extensions"].items())[0][1]', 'list(event["extensions"].values())[0]',
        'event["extensions"].copy()["request"]', 'event["extensions"].pop("request")',
        '(event["extensions"] | {"x": 1})["request"]', 'event["extensions"].setdefault("request")',
    ],
)  # fmt: skip
def test_extensions_is_a_dict_with_the_request(serve: Serve, look: str) -> None:
    server = serve(
        f"""
        def handler(event, context):
            assert isinstance(event["extensions"], dict) and list(event["extensions"]) == ["request"]
            return {look}.get_header("x-probe")
        """
    )
    assert server.get("/", **{"x-probe": "seen"}).text == "seen"


def test_event_prints_its_values(serve: Serve) -> None:
    text = serve("def handler(event, context):\n    return repr(event)").get("/a?b=c").text
    assert "'data': b''" in text
    assert "'extensions': {'request': <Request 'http" in text


def test_flask_is_not_imported_for_a_handler_that_does_not_ask(serve: Serve) -> None:
    server = serve("import sys\ndef handler(event, context):\n    return 'flask' in sys.modules")
    assert server.get().json() is False
