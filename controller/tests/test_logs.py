"""Log lines: who works on what stands in each."""

from __future__ import annotations

import json
import logging
import sys

from kubeless_controller.logs import JsonFormatter, Subject, TextFormatter, about


def record(message: str, **options: object) -> logging.LogRecord:
    return logging.LogRecord("x", logging.INFO, "x.py", 1, message, (), options.get("exc_info"))  # type: ignore[arg-type]


def test_a_line_carries_the_object_that_is_worked_on() -> None:
    assert TextFormatter().format(record("hello")).endswith(" hello")
    with about(Subject("Function", "default", "fn")):
        assert "[Function default/fn] hello" in TextFormatter().format(record("hello"))
        entry = json.loads(JsonFormatter().format(record("hello")))
    assert {key: entry[key] for key in ("kind", "namespace", "name", "message", "level")} == {
        "kind": "Function",
        "namespace": "default",
        "name": "fn",
        "message": "hello",
        "level": "info",
    }
    assert "kind" not in json.loads(JsonFormatter().format(record("hello")))


def test_a_traceback_is_one_field_of_one_line() -> None:
    try:
        raise RuntimeError("wrong")
    except RuntimeError:
        line = JsonFormatter().format(record("failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert "RuntimeError: wrong" in json.loads(line)["traceback"]
