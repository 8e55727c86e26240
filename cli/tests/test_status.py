"""What a status says, in words; and the tables it ends in."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api import conditions
from kubeless_cli.commands.describe import page
from kubeless_cli.commands.list import dependencies, env_value, environment, row
from kubeless_cli.status import NOT_SEEN, Phase, ready_column, standing
from kubeless_cli.table import plain, render


def function(*found: dict[str, Any], generation: int = 2, seen: int = 2) -> dict[str, Any]:
    return {
        "metadata": {"name": "hello", "namespace": "apps", "generation": generation},
        "spec": {"handler": "hello.handler", "runtime": "python3.13", "replicas": 1},
        "status": {"observedGeneration": seen, "replicas": 1, "conditions": list(found)},
    }


def condition(kind: str, status: str, reason: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": "why", **more}


ACCEPTED = condition("Accepted", "True", conditions.VALID)


@pytest.mark.parametrize(
    ("found", "phase", "reason"),
    [
        ([ACCEPTED, condition("Ready", "True", "Serving")], Phase.READY, "Serving"),
        ([ACCEPTED, condition("Ready", "False", "Progressing")], Phase.WAITING, "Progressing"),
        ([ACCEPTED, condition("Ready", "Unknown", "Progressing")], Phase.WAITING, "Progressing"),
        ([ACCEPTED, condition("Ready", "False", "LoadFailed")], Phase.FAILED, "LoadFailed"),
        (
            [condition("Accepted", "False", "UnknownRuntime"), condition("Ready", "True", "x")],
            Phase.FAILED,
            "UnknownRuntime",
        ),
        ([ACCEPTED], Phase.WAITING, "Submitted"),
        ([], Phase.WAITING, "Submitted"),
    ],
)
def test_conditions_of_the_newest_generation_decide(
    found: list[dict[str, Any]], phase: Phase, reason: str
) -> None:
    state = standing(function(*found))
    assert (state.phase, state.reason) == (phase, reason)


def test_a_condition_of_an_older_generation_does_not_count() -> None:
    ready = condition("Ready", "True", "Serving")
    assert standing(function(ACCEPTED, ready, generation=3, seen=2)) == NOT_SEEN
    stale = ready | {"observedGeneration": 1}
    assert standing(function(ACCEPTED, stale)) == NOT_SEEN


def test_an_object_without_status_is_waiting() -> None:
    assert standing({"metadata": {"generation": 1}}) == NOT_SEEN


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"replicas": 1, "readyReplicas": 1}, "1/1 READY"),
        ({"replicas": 3, "readyReplicas": 2}, "2/3 READY"),
        ({"replicas": 1}, "0/1 NOT READY"),
        ({}, "0/1 NOT READY"),
    ],
)
def test_the_status_column_counts_the_deployments_pods(counts: dict[str, int], text: str) -> None:
    assert ready_column(function(), {"spec": {"replicas": 1}, "status": counts}) == text


def test_without_a_deployment_the_functions_own_status_counts() -> None:
    assert ready_column(function(condition("Ready", "True", "Serving")), None) == "1/1 READY"
    assert ready_column({"metadata": {}, "spec": {}}, None) == "0/1 NOT READY"


def test_a_row_has_the_originals_columns() -> None:
    deployment = {"spec": {"replicas": 1}, "status": {"replicas": 1, "readyReplicas": 1}}
    assert row(function(), deployment, wide=False) == [
        "hello",
        "apps",
        "hello.handler",
        "python3.13",
        "",
        "1/1 READY",
    ]


@pytest.mark.parametrize(
    ("runtime", "deps", "shown"),
    [
        ("python3.13", "flask\nrequests\n", "flask\nrequests"),
        ("nodejs24", '{"dependencies": {"a": "1", "b": "2"}}', "a: 1\nb: 2"),
        ("nodejs24", "{broken", "{broken"),
        ("nodejs24", '{"name": "x"}', '{"name": "x"}'),
        ("python3.13", None, ""),
    ],
)
def test_dependencies_show_what_is_installed(runtime: str, deps: str | None, shown: str) -> None:
    assert dependencies({"runtime": runtime, "deps": deps}) == shown


def test_environment_is_found_in_both_places_and_secrets_are_not_shown() -> None:
    reference = {"name": "S", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    old = {"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": "1"}]}]}}}}
    found = environment({"deployment": old, "env": [reference]})
    assert [(item["name"], env_value(item)) for item in found] == [
        ("A", "1"),
        ("S", "<secretKey db.password>"),
    ]


def test_describe_shows_conditions_with_reason_and_message() -> None:
    text = page(function(ACCEPTED, condition("Ready", "False", "LoadFailed")))
    assert "Handler:     hello.handler" in text
    assert "LoadFailed" in text
    assert "why" in text


def test_describe_of_a_bare_object() -> None:
    assert "has not looked" in page({"metadata": {"name": "a", "namespace": "b"}, "spec": {}})


def test_tables_align_wrap_and_hold_several_lines() -> None:
    assert render([["A", "LONG"], ["x\ny", "one two"]], max_width=4).splitlines() == [
        "A  LONG",
        "x  one",
        "y  two",
    ]


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert plain("a\x1b[31mb\r\nc\td\x00") == "a�[31mb\nc\td�"
