"""What an HTTPTrigger may say, and what it is told when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.http_trigger import parse, parse_host, parse_path


def trigger(**spec: Any) -> dict[str, Any]:
    metadata = {
        "name": "t",
        "namespace": "n",
        "uid": "u",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"metadata": metadata, "spec": {"function-name": "hello", **spec}}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", "/"),
        ("/", "/"),
        ("a", "/a"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("a/b/", "/a/b"),
        ("/a.b+c(d)*$", "/a.b+c(d)*$"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/a/..b/.c", "/a/..b/.c"),
    ],
)
def test_paths(given: str, path: str) -> None:
    assert parse_path(given) == path


@pytest.mark.parametrize(
    "given",
    [
        "//",
        "//a",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/a/..",
        ".",
        "a b",
        "/café",
        "/a?b",
        "/a#b",
        "/%2f",
        "/%zz",
        "/[a]",
        "/a{1}",
        "a\\b",
        "x" * 1025,
    ],
)
def test_paths_that_are_refused(given: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_path(given)
    assert caught.value.reason == "InvalidPath"
    assert "spec.path: found" in caught.value.message
    assert "expected a prefix like" in caught.value.message


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("", ""),
        ("a.example.com", "a.example.com"),
        ("A.Example.COM", "a.example.com"),
        ("*.example.com", "*.example.com"),
        ("local", "local"),
    ],
)
def test_hosts(given: str, host: str) -> None:
    assert parse_host(given) == host


@pytest.mark.parametrize(
    "given",
    [
        "*",
        "a.*.com",
        "*a.com",
        "http://a.com",
        "a.com:80",
        "10.0.0.1",
        "a_b.com",
        "-a.com",
        "a..com",
        ".a",
        "a.",
        "x" * 64 + ".com",
        "a." * 130 + "com",
        "é.com",
        "::1",
    ],
)
def test_hosts_that_are_refused(given: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_host(given)
    assert caught.value.reason == "InvalidHost"
    assert repr(given)[:20] in caught.value.message


def test_what_the_original_wrote_means_nothing_more_than_it_says() -> None:
    empty = {
        "basic-auth-secret": "",
        "cors-enable": False,
        "host-name": "a.b",
        "path": "",
        "tls": False,
        "tls-secret": "",
        "parentRefs": None,
    }
    found = parse(trigger(gateway="nginx", **empty))
    assert (found.gateway, found.host, found.path, found.tls, found.parent_refs) == (
        "nginx",
        "a.b",
        "/",
        False,
        (),
    )


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"function-name": ""}, ["spec.function-name", "expected the name of a Function"]),
        ({"tls": "yes"}, ["spec.tls", "'yes'", "true or false"]),
        ({"path": 3}, ["spec.path", "3", "a string"]),
        ({"parentRefs": [{}]}, ["spec.parentRefs[0].name", "the name of a Gateway"]),
        ({"parentRefs": ["public"]}, ["spec.parentRefs[0]", "an object"]),
        (
            {"parentRefs": [{"name": "g"}], "gateway": "nginx"},
            ["spec.gateway", "take one of them out"],
        ),
        ({"parentRefs": [{"name": "g"}], "ingressClassName": "x"}, ["spec.ingressClassName"]),
    ],
)
def test_specs_that_are_refused(spec: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        parse(trigger(**spec))
    for word in words:
        assert word in caught.value.message
