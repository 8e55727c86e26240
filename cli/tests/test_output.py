"""What is printed is what is read back, by kubectl too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeless_cli.output import dump
from kubeless_cli.yaml12 import parse_yaml

VALUES = [
    "1e3",
    "0o7",
    "0x1F",
    "010",
    "+5",
    "-.5",
    "1_000",
    "30",
    "1.5",
    "no",
    "true",
    "null",
    "~",
    "",
    "12:30",
    "a: b",
    "- a",
    "x\ny\n",
    " x\n",
    "\U0001f600\x85\x00",
    "=",
    "<<",
]


@pytest.mark.parametrize("value", [*VALUES, *[{value: [value]} for value in VALUES]], ids=repr)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_texts_stay_texts(form: str, value: Any) -> None:
    text = dump({"key": value}, form) + "\n"
    read = json.loads(text) if form == "json" else parse_yaml(text)
    assert read == {"key": value}


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 0.1, 1e21, 5e-324, True, None, 0, [], {}])
def test_numbers_stay_numbers(value: Any) -> None:
    read = parse_yaml(dump({"key": value}, "yaml"))["key"]
    assert (read, type(read)) == (value, type(value))
