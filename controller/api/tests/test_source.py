"""Content types, checksums and the table of runtimes."""

from __future__ import annotations

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.runtimes import Runtime, RuntimeTable
from kubeless_api.source import check, checksum_of, parse_content_type

TABLE = RuntimeTable(
    [
        Runtime("python3.13", "image/a", ".py", aliases=("python3.7", "python3.14")),
        Runtime("python3.14", "image/b", ".py"),
    ]
)


@pytest.mark.parametrize(
    ("value", "carrier", "archive"),
    [
        ("", "text", ""),
        ("text+deps", "text", ""),
        ("base64+zip", "base64", "zip"),
        ("url+compressedtar+deps", "url", "compressedtar"),
    ],
)
def test_content_types(value: str, carrier: str, archive: str) -> None:
    parsed = parse_content_type(value)
    assert (parsed.carrier, parsed.archive) == (carrier, archive)


def test_a_checksum_that_is_right_or_missing_passes() -> None:
    check(b"source", "")
    check(b"source", checksum_of(b"source"))
    check(b"source", checksum_of(b"source").upper().replace("SHA256", "sha256"))


def test_a_checksum_of_something_else_names_both() -> None:
    with pytest.raises(SpecError) as caught:
        check(b"source", checksum_of(b"other"))
    assert caught.value.reason == "ChecksumMismatch"
    assert checksum_of(b"source") in caught.value.message
    assert checksum_of(b"other") in caught.value.message


def test_a_runtime_is_found_by_id_and_by_alias_and_an_id_wins() -> None:
    assert TABLE.find("python3.13").image == "image/a"
    assert TABLE.find("python3.7").image == "image/a"
    assert TABLE.find("python3.14").image == "image/b"


def test_an_unknown_runtime_names_those_that_there_are() -> None:
    with pytest.raises(SpecError) as caught:
        TABLE.find("python2.7")
    assert caught.value.reason == "UnknownRuntime"
    assert "found 'python2.7'; this installation has python3.13, python3.14" in caught.value.message
    assert "image of your own" not in caught.value.message
    with pytest.raises(SpecError, match="image of your own"):
        TABLE.find("go1.14")
