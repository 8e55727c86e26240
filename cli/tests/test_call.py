"""A call's headers, its path through the API server, and who answered it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from kubeless_cli.app import root
from kubeless_cli.errors import Problem
from kubeless_cli.proxy import event_headers, never_arrived, proxy_path, read

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def status(message: str, code: int = 503) -> bytes:
    return json.dumps(
        {"kind": "Status", "apiVersion": "v1", "message": message, "code": code}
    ).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"a": 1}', "application/json"),
        (b" null ", "application/json"),
        (b"[1]", "application/x-www-form-urlencoded"),
        (b"1", "application/x-www-form-urlencoded"),
        (b'"text"', "application/x-www-form-urlencoded"),
        (b"{broken", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"[" * 100_000, "application/x-www-form-urlencoded"),
    ],
    ids=range(8),
)
def test_only_an_object_or_null_is_json(data: bytes, kind: str) -> None:
    headers = event_headers(data, NOW)
    assert headers["Content-Type"] == headers["event-type"] == kind


def test_event_headers_say_when_and_from_where() -> None:
    headers = event_headers(None, NOW)
    assert headers["event-time"] == "2026-01-02T03:04:05Z"
    assert headers["event-namespace"] == "cli.kubeless.io"
    assert headers["event-id"] != event_headers(None, NOW)["event-id"]
    assert "Content-Type" not in headers


@pytest.mark.parametrize(
    ("path", "rest"),
    [("/", ""), ("", ""), ("/a/b", "a/b"), ("/ä b", "%C3%A4%20b"), ("/a%2Fb", "a%2Fb")],
)
def test_the_path_goes_through_the_service_by_port_name(path: str, rest: str) -> None:
    prefix = "/api/v1/namespaces/apps/services/hello:http-function-port/proxy/"
    assert proxy_path("apps", "hello", path) == prefix + rest


@pytest.mark.parametrize(
    ("message", "retried"),
    [
        ('no endpoints available for service "hello:http-function-port"', True),
        (
            "error trying to reach service: dial tcp 10.0.0.1:8080: connect: connection refused",
            True,
        ),
        ("error trying to reach service: EOF", False),
        ("error trying to reach service: read tcp 1->2: connection reset by peer", False),
        ("error trying to reach service: dial tcp 10.0.0.1:8080: i/o timeout", False),
    ],
)
def test_a_call_is_repeated_only_where_nothing_arrived(message: str, retried: bool) -> None:
    answer = read(503, "Service Unavailable", status(message))
    assert answer.by_cluster
    assert never_arrived(answer) is retried


@pytest.mark.parametrize("body", [b"busy", b"", b'{"error": "x"}', b"[]", b"\xff"])
def test_the_functions_own_error_is_its_answer(body: bytes) -> None:
    assert not read(503, "Service Unavailable", body).by_cluster


def test_plain_text_of_the_proxy_is_the_clusters_too() -> None:
    body = b"Error trying to reach service: 'dial tcp 10.0.0.1:8080: connect: connection refused'"
    assert never_arrived(read(502, "Bad Gateway", body))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["-H", "nocolon"], "'nocolon' is not a header"),
        (["-H", "a b: c"], "is not a header"),
        (["-H", "a: b\nc: d"], "not printable ASCII"),
        (["-H", "a: ä"], "not printable ASCII"),
        (["--method", "GE T"], "not an HTTP method"),
        (["-d", "x", "--data-file", "y"], "exclude each other"),
        (["--data-file", "nosuch"], "'nosuch' does not exist"),
    ],
)
def test_a_wrong_call_is_refused_before_the_cluster(arguments: list[str], found: str) -> None:
    result = CliRunner().invoke(root, ["function", "call", "hello", *arguments])
    assert result.exit_code == 2
    assert found in result.stderr


@pytest.mark.parametrize(
    "path",
    [
        "../../../secrets/x",
        "/a/../b",
        "a/./b",
        "%2e%2e/x",
        "%252e%252e/x",
        "a/.%2e/b",
        "..",
        "a\\..\\b",
    ],
)
def test_a_path_never_leads_to_another_resource(path: str) -> None:
    with pytest.raises(Problem, match="must not have"):
        proxy_path("apps", "hello", path)


@pytest.mark.parametrize("path", ["/a.b/..c/d..", "/...", "/file.tar.gz"])
def test_dots_in_names_are_fine(path: str) -> None:
    assert proxy_path("apps", "hello", path).endswith(path)
