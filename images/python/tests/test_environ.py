"""A request's head as an environ."""

from __future__ import annotations

from typing import Any

from kubeless_runtime.environ import build


def environ(*headers: tuple[bytes, bytes], **scope: Any) -> dict[str, Any]:
    return build(
        {
            "method": "GET", "raw_path": b"/", "query_string": b"", "http_version": "1.1",
            "server": ("10.0.0.1", "8080"), "client": ("10.0.0.2", "4711"),
            "headers": list(headers), **scope,
        }
    )  # fmt: skip


def test_head_without_headers() -> None:
    assert environ(method="PUT", raw_path=b"/a", query_string=b"b=c", http_version="1") == {
        "REQUEST_METHOD": "PUT", "PATH_INFO": "/a", "QUERY_STRING": "b=c",
        "SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": "10.0.0.1", "SERVER_PORT": "8080",
        "REMOTE_ADDR": "10.0.0.2", "REMOTE_PORT": "4711", "wsgi.url_scheme": "http",
    }  # fmt: skip


def test_path_is_the_bytes_that_were_escaped() -> None:
    assert environ(raw_path=b"/%c3%A9/%2f%zz%")["PATH_INFO"] == "/\xc3\xa9//%zz%"


def test_headers_under_their_names() -> None:
    for _ in range(2):  # as they come first, and once their names are known
        found = environ((b"content-type", b"a/b"), (b"x-one", b"1"), (b"content-length", b"3"))
        assert found["CONTENT_TYPE"] == "a/b"
        assert found["HTTP_X_ONE"] == "1"
        assert found["CONTENT_LENGTH"] == "3"


def test_repeated_headers_are_joined_but_for_type_and_length() -> None:
    for _ in range(2):
        found = environ(
            (b"cookie", b"a=1"), (b"x-a", b"1"), (b"content-type", b"a/b"), (b"x-a", b"2"),
            (b"cookie", b"b=2"), (b"content-type", b"c/d"), (b"x-a", b"3"),
        )  # fmt: skip
        assert found["HTTP_COOKIE"] == "a=1;b=2"
        assert found["HTTP_X_A"] == "1,2,3"
        assert found["CONTENT_TYPE"] == "a/b"


def test_value_that_is_not_ascii_is_empty() -> None:
    found = environ((b"x-a", b"\xc3\xa9"), (b"x-b", b"1"))
    assert (found["HTTP_X_A"], found["HTTP_X_B"]) == ("", "1")


def test_name_with_an_underscore_is_dropped() -> None:
    for _ in range(2):
        found = environ((b"x-user", b"real"), (b"x_user", b"forged"), (b"content_length", b"1"))
        assert found["HTTP_X_USER"] == "real"
        assert "CONTENT_LENGTH" not in found
        assert "" not in found


def test_chunked_body_has_no_length() -> None:
    found = environ((b"content-length", b"5"), (b"transfer-encoding", b"chunked"))
    assert "CONTENT_LENGTH" not in found


def test_a_thousand_names_are_not_kept() -> None:
    from kubeless_runtime import environ as module

    for n in range(3000):
        assert environ((b"x-%d" % n, b"1"))[f"HTTP_X_{n}"] == "1"
    assert len(module._keys) <= module._MAX_KEYS
