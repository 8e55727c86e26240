"""Payloads are kept as they were written, or refused with what is wrong and where."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.payload import MAX_BYTES, PayloadError, from_file, from_text, parse_json
from kubeless_cli.yaml12 import parse_yaml

DEEP = 20_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("null", None),
        ('""', None),
        ("0", 0),
        ("false", False),
        ("{}", {}),
        ("[]", []),
        ('{"a": [null, {"b": 1.5}]}', {"a": [None, {"b": 1.5}]}),
        ('"text"', "text"),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9007199254740993", 2**53 + 1),
        ("0.1", 0.1),
        ("1E5", 100000.0),
        ('"\\ud83d\\ude00\\u0000"', "\U0001f600\0"),
        ('"e\u0301 \u2028\ufeff"', "e\u0301 \u2028\ufeff"),
    ],
)
def test_json_is_kept(text: str, value: Any) -> None:
    found = from_text(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "text",
            "Expecting value at line 1, column 1, found 'text'. A text is written with quotes",
        ),
        ('{"a": 1,\n "b" 2}', "at line 2, column 6, found '2}'"),
        ("[1", "at line 1, column 3."),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ("9223372036854775808", "the number 9223372036854775808 would be changed"),
        ("12345678901234567890", 'Write it as a text, "12345678901234567890"'),
        ("0.12345678901234567890", "decimals of about 16 digits"),
        ("1e400", "the number 1e400 would be changed"),
        ("1" * 5000, "the number 1111"),
        ("[NaN]", "NaN is not JSON"),
        ('"\\ud800"', "half a surrogate pair (\\ud800)"),
        ('"\udcff"', "half a surrogate pair (\\udcff)"),
        ("[" * DEEP + "]" * DEEP, "nested too deeply"),
        (json.dumps("x" * MAX_BYTES), "a trigger holds at most 900 KiB"),
        (json.dumps("\u00e9" * (MAX_BYTES // 2)), "it is too large"),
    ],
    ids=lambda text: text[:20],
)
def test_json_that_can_not_be_kept_is_refused(text: str, found: str) -> None:
    with pytest.raises(PayloadError) as caught:
        from_text(text)
    assert found in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_largest_payload_fits() -> None:
    text = "x" * (MAX_BYTES - 2)
    assert from_text(f'"{text}"') == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "a: 1\nb: [yes, no, 12:30:00, 2020-01-01]",
            {"a": 1, "b": ["yes", "no", "12:30:00", "2020-01-01"]},
        ),
        ("[~, null, true, FALSE]", [None, None, True, False]),
        ("[010, 0o10, 0x1F, +5, -7, 1e3, .5, 3.]", [10, 8, 31, 5, -7, 1000.0, 0.5, 3.0]),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("hello world", "hello world"),
        ('"\\U0001f600\\u00e9\\0"', "\U0001f600\u00e9\0"),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_yaml_has_the_values_of_json(text: str, value: Any) -> None:
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\na: 2", "the key 'a' is given twice at line 2, column 1"),
        ("1: a", "the keys of JSON are texts: write this one with quotes at line 1, column 1"),
        ("? [a]\n: 1", "the keys of JSON are texts"),
        ("a: !!binary aGVsbG8=", "!!binary has no form in JSON at line 1, column 4"),
        ("!thing x", "!thing has no form in JSON"),
        ("a: .inf", ".inf is not JSON"),
        ("a: 12345678901234567890", "the number 12345678901234567890 would be changed"),
        ("<<: {a: 1}", "has no merge keys"),
        ("--- 1\n--- 2", "another document"),
        ("a: [", "not YAML"),
        ("\ta: 1", "at line 1, column 1"),
        ('"\x01"', "not YAML"),
        ("&a [*a]", "recursive"),
        ("- " * DEEP + "x", "nested too deeply"),
    ],
    ids=lambda text: text[:20],
)
def test_yaml_that_is_no_json_is_refused_with_its_place(text: str, found: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse_yaml(text)
    assert found in str(caught.value)


def test_aliases_that_stand_for_more_than_fits_are_refused_at_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(PayloadError, match="it is too large"):
        from_file(str(path))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("p.json", '\ufeff{"a": 1}', {"a": 1}),
        ("p.yaml", "a: 1", {"a": 1}),
        ("p.YML", '{a: 1, "b": 2}', {"a": 1, "b": 2}),
        ("p", '{"a": 1}', {"a": 1}),
        ("p", "{a: 1}", {"a": 1}),
        ("p.txt", "a: 1", {"a": 1}),
    ],
)
def test_files_are_json_or_yaml(tmp_path: Path, name: str, text: str, value: Any) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert from_file(str(path)) == value


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("p.json", b"a: 1", "'p.json': not JSON: Expecting value at line 1, column 1"),
        ("p.yaml", b"a: [", "'p.yaml': not YAML"),
        ("p", b'{"a": 1', "'p': not JSON"),
        ("p", b"a: b: c", "'p': not YAML"),
        ("p", b" \n", "'p' is empty"),
        ("p", b"\xff", "'p' is not UTF-8 text: byte 0"),
        ("p", b" " * (17 * MAX_BYTES), "'p' has 14.9 MiB; a trigger holds at most 900 KiB"),
    ],
)
def test_a_file_that_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PayloadError) as caught:
        from_file(name)
    assert found in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match="does not exist"):
        from_file(str(tmp_path / "nosuch"))
    with pytest.raises(PayloadError, match="is a folder; expected a file"):
        from_file(str(tmp_path))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1")))
    assert from_file("-") == {"a": 1}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(PayloadError, match="standard input is empty"):
        from_file("-")


def test_what_json_and_yaml_read_is_the_same() -> None:
    value = {"a": [1, 1.5, None, True, "x\n\u2028", {"b": {}}], "\U0001f600": ""}
    text = json.dumps(value, ensure_ascii=False)
    assert parse_json(text) == parse_yaml(text) == value
