"""Reading a Function: every field, and what is said of each that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.function import Handler, parse, parse_handler, parse_timeout

Object = dict[str, Any]


def function(**spec: Any) -> Object:
    base = {"runtime": "python3.13", "handler": "hello.handler", "function": "source"}
    metadata = {"namespace": "default", "name": "hello", "uid": "1"}
    return {"metadata": metadata, "spec": {**base, **spec}}


def message(**spec: Any) -> str:
    with pytest.raises(SpecError) as caught:
        parse(function(**spec))
    return caught.value.message


def test_defaults() -> None:
    parsed = parse(function())
    assert parsed.handler == Handler("hello", "handler")
    assert (parsed.timeout, parsed.replicas, parsed.concurrency) == (180.0, 1, 0)
    assert str(parsed.content_type) == "text"
    assert (parsed.deployment, parsed.service, parsed.autoscaler) == ({}, {}, {})


@pytest.mark.parametrize("unset", ["", None])
def test_empty_strings_and_nulls_mean_not_set(unset: str | None) -> None:
    fields = ("function-content-type", "checksum", "timeout", "deps", "image", "serviceAccountName")
    parsed = parse(function(**dict.fromkeys(fields, unset)))
    assert parsed == parse(function())


def test_zero_objects_mean_not_set() -> None:
    zero = {
        "metadata": {"creationTimestamp": None},
        "spec": {"maxReplicas": 0, "scaleTargetRef": {"kind": "", "name": ""}},
        "status": {"conditions": None, "currentReplicas": 0},
    }
    assert parse(function(horizontalPodAutoscaler=zero)).autoscaler == {}


def test_an_autoscaler_is_wanted_with_a_name_and_a_target() -> None:
    wanted = {"metadata": {"name": "hello"}, "spec": {"scaleTargetRef": {"name": "hello"}}}
    assert parse(function(horizontalPodAutoscaler=wanted)).autoscaler == wanted


def test_an_own_image_needs_neither_source_nor_runtime_nor_handler() -> None:
    parsed = parse(function(image="registry/mine:1", runtime="", handler="", function=""))
    assert (parsed.image, parsed.handler) == ("registry/mine:1", None)
    pod = {"containers": [{"image": "registry/mine:2"}]}
    parsed = parse(function(function="", deployment={"spec": {"template": {"spec": pod}}}))
    assert parsed.image == "registry/mine:2"


@pytest.mark.parametrize(
    ("value", "seconds"), [(None, 180), ("", 180), (5, 5), ("30", 30), ("2.5", 2.5), (0.5, 0.5)]
)
def test_timeouts(value: Any, seconds: float) -> None:
    assert parse_timeout(value) == seconds


@pytest.mark.parametrize("value", [0, -1, "0", "abc", "1e3", "nan", "inf", True, [], "-5", "٣"])
def test_timeouts_that_are_wrong(value: Any) -> None:
    with pytest.raises(SpecError, match="expected a positive number of seconds"):
        parse_timeout(value)


def test_handlers() -> None:
    assert parse_handler("pubsub-python.handler") == Handler("pubsub-python", "handler")


@pytest.mark.parametrize("value", ["hello", "a.b.c", ".b", "a.", "a b.c", "a/b.c", "a.b\n"])
def test_handlers_that_are_wrong(value: str) -> None:
    with pytest.raises(SpecError, match="exactly one dot"):
        parse_handler(value)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("function", 5, "spec.function: found 5, expected a string"),
        ("function", "", "spec.function: found nothing to run"),
        ("runtime", "", "spec.runtime: found nothing, expected the id of a runtime"),
        ("replicas", -1, "spec.replicas: found -1, expected a whole number of 0 or more"),
        ("replicas", True, "spec.replicas: found True, expected a whole number"),
        ("concurrency", "x", "spec.concurrency: found 'x', expected a whole number"),
        ("env", {}, "spec.env: found {}, expected a list"),
        ("env", ["A"], "spec.env[0]: found 'A', expected an object"),
        ("secrets", [""], "spec.secrets[0]: found '', expected a name"),
        ("imagePullSecrets", [{}], "spec.imagePullSecrets[0]: found nothing, expected a name"),
        ("deployment", [], "spec.deployment: found [], expected an object"),
        ("service", "x", "spec.service: found 'x', expected an object"),
        ("function-content-type", "zip", "found 'zip', expected text, base64 or url"),
        ("function-content-type", "text+zip", "found 'text+zip'"),
    ],
)
def test_fields_that_are_wrong(field: str, value: Any, said: str) -> None:
    assert said in message(**{field: value})


def test_long_values_are_cut_in_messages() -> None:
    assert len(message(deployment="x" * 10_000)) < 200
