"""What a handler may return, and what its client gets."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.client import Client
from conformance.languages import Language


@pytest.fixture
def values(shared: Any) -> Client:
    client: Client = shared("values")
    return client


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/object", {"a": 1, "é": [True, None]}),
        ("/list", [1, None]),
        ("/number", 42),
        ("/float", 1.5),
        ("/true", True),
        ("/false", False),
        ("/zero", 0),
    ],
)
def test_json_values(values: Client, path: str, value: Any) -> None:
    reply = values.get(path)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == value
    assert type(reply.json()) is type(value)
    assert reply.headers["content-length"] == str(len(reply.body))


def test_text(values: Client, language: Language) -> None:
    reply = values.get("/text")
    assert (reply.status, reply.text) == (200, "text é")
    assert reply.headers["content-type"] == language.text_type
    assert reply.headers["content-length"] == "7"


def test_bytes_are_sent_as_they_are(values: Client, language: Language) -> None:
    reply = values.get("/bytes")
    assert (reply.status, reply.body) == (200, b"\x00\xff\xfe")
    assert reply.headers["content-type"] == language.bytes_type


def test_nothing_is_an_empty_answer(values: Client, language: Language) -> None:
    reply = values.get("/nothing")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert reply.headers.get("content-type") == language.nothing_type


def test_empty_text(values: Client) -> None:
    reply = values.get("/empty")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")


def test_large_text(values: Client) -> None:
    reply = values.get("/large")
    assert reply.body == b"x" * 2_000_000
    assert reply.headers["content-length"] == "2000000"


@pytest.mark.parametrize("path", ["/text", "/object", "/nothing", "/large"])
def test_head_has_the_headers_of_the_same_answer_and_no_body(values: Client, path: str) -> None:
    get, head = values.get(path), values.request("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")
    for name in ("content-type", "content-length"):
        assert head.headers.get(name) == get.headers.get(name)


def test_head_leaves_the_connection_usable(values: Client) -> None:
    sent = b"HEAD /large HTTP/1.1\r\nHost: x\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = values.raw(sent, timeout=10)
    assert received.count(b"HTTP/1.1 200") == 2
    assert len(received) < 2000


@pytest.mark.parametrize("how", ["status", "headers"])
def test_status_and_headers_are_the_handlers_to_choose(shared: Any, how: str) -> None:
    reply = shared("chosen").post(how)
    expected = {"status": (201, "made"), "headers": (202, "x")}
    assert (reply.status, reply.text) == expected[how]
    if how == "headers":
        assert (reply.headers["x-a"], reply.headers["content-type"]) == ("b", "image/png")


def test_chosen_header_cannot_carry_another(shared: Any) -> None:
    server = shared("chosen")
    reply = server.post("split")
    assert "x-split" not in reply.headers
    assert reply.status == 500
    assert server.post("status").status == 201


def test_status_without_a_body(shared: Any) -> None:
    received = shared("chosen").raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nempty"
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nConnection: close\r\n\r\nstatus",
        timeout=10,
    )
    first, _, second = received.partition(b"HTTP/1.1 201")
    assert first.startswith(b"HTTP/1.1 204")
    assert first.endswith(b"\r\n\r\n")  # nothing that a client would take for the next answer
    assert second.endswith(b"made")
