"""`kubeless function deploy | update --schedule`: whose the schedule is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.kinds import CRONJOB_TRIGGER, FUNCTION
from kubeless_kube.client import Client
from support.command_line import Run, commands
from support.control_plane import ControlPlane
from support.objects import find
from support.triggers import YEARLY, trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]

TRIGGERS = CRONJOB_TRIGGER.resource
SPEC = {"function-name": "hello", "schedule": YEARLY}


@pytest.fixture
def cronjob(control_plane: ControlPlane, namespace: str) -> Run:
    """Run `kubeless trigger cronjob ...` in the test's namespace."""
    return commands(control_plane.kubeconfig, namespace, "trigger", "cronjob")


@pytest.fixture
def function(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Run:
    """Run `kubeless function ... hello` in the test's namespace; `deploy` with what it needs."""
    source = tmp_path / "hello.py"
    source.write_text("def handler(event, context):\n    return 'hello'\n")
    needed = ["--runtime", "python3.13", "--handler", "hello.handler", "-f", str(source)]

    run = commands(control_plane.kubeconfig, namespace, "function")
    return lambda command, *arguments: run(
        command, "hello", *(needed if command == "deploy" else []), *arguments
    )


@pytest.fixture
def spec(client: Client, namespace: str) -> Callable[..., Object]:
    """The spec of a CronJobTrigger."""

    def look(name: str = "hello") -> Object:
        found: Object = client.get(TRIGGERS, namespace, name)["spec"]
        return found

    return look


def asked(client: Client, namespace: str) -> tuple[Any, Any]:
    """The type and the schedule of the Function."""
    found = client.get(FUNCTION.resource, namespace, "hello")["spec"]
    return found.get("type"), found.get("schedule")


@pytest.mark.usefixtures("controlled")
def test_a_functions_schedule_comes_changes_and_goes(
    function: Run, cronjob: Run, client: Client, namespace: str, spec: Callable[..., Object]
) -> None:
    done = function("deploy", "--schedule", YEARLY)
    assert done.returncode == 0, done.stderr
    assert f"Function hello is called at '{YEARLY}' by a trigger of its own" in done.stderr
    assert asked(client, namespace) == ("Scheduled", YEARLY)
    wait_for(lambda: find(client, TRIGGERS, namespace, "hello"), "the trigger is made")
    assert YEARLY in function("describe").stdout
    assert "the schedule of function hello" in cronjob("describe", "hello").stdout

    # What the function decides is changed at the function; the rest is the trigger's.
    for arguments in (
        ["update", "hello", "--schedule", "@weekly"],
        ["create", "hello", "--function", "hello", "--schedule", "@weekly"],
        ["delete", "hello"],
    ):
        refused = cronjob(*arguments)
        assert refused.returncode == 1, arguments
        assert "kubeless function update hello --schedule" in refused.stderr
    assert cronjob("update", "hello", "--payload", "1").returncode == 0
    assert spec() == SPEC | {"payload": 1}

    assert function("update", "--schedule", "@weekly").returncode == 0
    assert asked(client, namespace) == ("Scheduled", "@weekly")
    assert function("update", "--timeout", "3").returncode == 0
    assert asked(client, namespace) == ("Scheduled", "@weekly"), "an update leaves it"
    assert function("deploy").returncode == 0
    assert asked(client, namespace) == (None, None), "a deploy replaces the whole"
    wait_for(lambda: find(client, TRIGGERS, namespace, "hello") is None, "the trigger goes")

    assert function("deploy", "--schedule", YEARLY).returncode == 0
    done = function("update", "--schedule", "")
    assert "Function hello has no schedule any more" in done.stderr
    assert asked(client, namespace) == (None, None)


@pytest.mark.parametrize("command", ["deploy", "update"])
def test_a_trigger_made_apart_keeps_the_schedule(
    function: Run,
    client: Client,
    namespace: str,
    deploy: Deploy,
    spec: Callable[..., Object],
    command: str,
) -> None:
    deploy()
    manifest = trigger_manifest(namespace, "hello", payload={"a": None})
    client.create(TRIGGERS, manifest, manager="kubeless")
    done = function(command, "--schedule", "@weekly", "--timeout", "3")
    assert done.returncode == 0, done.stderr
    assert "Cronjob trigger hello, which was made apart from the function, calls it at" in (
        done.stderr
    )
    assert spec() == SPEC | {"schedule": "@weekly", "payload": {"a": None}}
    assert asked(client, namespace) == (None, None)
    assert client.get(FUNCTION.resource, namespace, "hello")["spec"]["timeout"] == "3"

    refused = function("update", "--schedule", "")
    assert refused.returncode == 1
    assert "'kubeless trigger cronjob delete hello' takes it away" in refused.stderr
    shown = function("update", "--schedule", "@daily", "--timeout", "4", "--dryrun", "-o", "json")
    printed = json.loads(shown.stdout)["spec"]
    assert (printed["timeout"], printed.get("schedule")) == ("4", None)
    assert spec()["schedule"] == "@weekly", "a dry run writes nothing"


@pytest.mark.parametrize("command", ["deploy", "update"])
def test_a_trigger_of_that_name_that_calls_another_function_is_in_the_way(
    function: Run,
    client: Client,
    namespace: str,
    deploy: Deploy,
    spec: Callable[..., Object],
    command: str,
) -> None:
    before = deploy()
    client.create(TRIGGERS, trigger_manifest(namespace, "hello", function="other"))
    done = function(command, "--schedule", "@weekly", "--timeout", "3")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Cronjob trigger hello is there already and calls function other" in done.stderr
    assert 'create NAME --function hello --schedule "@weekly"' in done.stderr
    assert spec()["schedule"] == YEARLY
    assert client.get(FUNCTION.resource, namespace, "hello")["spec"] == before["spec"]
