"""What is written of a changed object."""

from __future__ import annotations

from typing import Any

from kubeless_cli.edit import differences

Object = dict[str, Any]


def obj(spec: Object, **metadata: Any) -> Object:
    return {"metadata": {"name": "hello", "resourceVersion": "7"} | metadata, "spec": spec}


def test_what_is_equal_is_not_written() -> None:
    assert differences(obj({"a": 1}), obj({"a": 1})) == []
    assert differences(obj({"a": 1}, labels={}), obj({"a": 1})) == []


def test_each_part_that_differs_is_written_as_a_whole() -> None:
    before = obj({"a": 1, "b": 2}, labels={"x": "1"}, annotations={"n": "1"})
    after = obj({"a": 1, "c": None}, labels={"x": "1"}, annotations={"n": "2"})
    assert differences(before, after) == [
        {"op": "add", "path": "/metadata/annotations", "value": {"n": "2"}},
        {"op": "add", "path": "/spec", "value": {"a": 1, "c": None}},
    ]


def test_the_last_label_can_go() -> None:
    assert differences(obj({}, labels={"x": "1"}), obj({})) == [
        {"op": "add", "path": "/metadata/labels", "value": {}}
    ]
