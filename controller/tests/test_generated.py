"""Whatever stands in a spec: it is built, or refused with a reason; it never raises anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kubeless_api.errors import SpecError
from support.specs import any_specs, valid_specs
from support.world import wanted

Object = dict[str, Any]


def function(spec: Object) -> Object:
    metadata = {"namespace": "default", "name": "hello", "uid": "1", "generation": 1}
    return {"metadata": metadata, "spec": spec}


pytestmark = pytest.mark.slow
GENERATED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@GENERATED
@given(valid_specs("hello"))
def test_a_valid_spec_is_built_and_always_to_the_same(spec: Object) -> None:
    first, second = wanted(function(spec)), wanted(function(json.loads(json.dumps(spec))))
    assert first == second


@GENERATED
@given(any_specs("hello"))
def test_any_spec_is_built_or_refused_in_words(spec: Object) -> None:
    assert refusal(spec) in ("", "spec")


def refusal(spec: Object) -> str:
    """What the message begins with when the spec is refused; '' when it is built."""
    try:
        wanted(function(spec))
    except SpecError as error:
        return error.message.partition(".")[0]
    return ""
