"""`kubeless trigger cronjob`: what it writes over whom, and what it says about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.kinds import CRONJOB_TRIGGER
from kubeless_kube.client import Client
from support.command_line import Run, commands
from support.control_plane import ControlPlane
from support.triggers import YEARLY, trigger_manifest

Object = dict[str, Any]
Deploy = Callable[..., Object]

TRIGGERS = CRONJOB_TRIGGER.resource
FLAGS = ["--function", "hello", "--schedule", YEARLY]
SPEC = {"function-name": "hello", "schedule": YEARLY}


@pytest.fixture
def cronjob(control_plane: ControlPlane, namespace: str) -> Run:
    """Run `kubeless trigger cronjob ...` in the test's namespace."""
    return commands(control_plane.kubeconfig, namespace, "trigger", "cronjob")


@pytest.fixture
def spec(client: Client, namespace: str) -> Callable[..., Object]:
    """The spec of a CronJobTrigger."""

    def look(name: str = "tick") -> Object:
        found: Object = client.get(TRIGGERS, namespace, name)["spec"]
        return found

    return look


def test_create_makes_and_makes_again_update_changes_a_part(
    cronjob: Run, deploy: Deploy, spec: Callable[..., Object]
) -> None:
    deploy()
    flags = ["--payload", '{"a": 1}', "--time-zone", "Europe/Berlin", "--retries", "0"]
    done = cronjob("create", "tick", *FLAGS, *flags, "--suspend")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Cronjob trigger tick submitted" in done.stderr
    assert "Note" not in done.stderr
    zone = {"timeZone": "Europe/Berlin", "backoffLimit": 0}
    assert spec() == {**SPEC, **zone, "payload": {"a": 1}, "suspend": True}

    assert cronjob("update", "tick", "--resume", "-p", '{"b": null}').returncode == 0
    assert spec() == {**SPEC, **zone, "payload": {"b": None}}
    done = cronjob("update", "tick", "--schedule", "@daily", "--retries", "", "--time-zone", "")
    assert done.returncode == 0
    assert spec() == {"function-name": "hello", "schedule": "@daily", "payload": {"b": None}}

    for _ in range(2):
        assert cronjob("create", "tick", *FLAGS).returncode == 0
        assert spec() == SPEC
    missing = cronjob("update", "tack", "--suspend")
    assert missing.returncode == 1
    assert "There is no cronjob trigger 'tack' in namespace" in missing.stderr
    assert "Did you mean tick?" in missing.stderr


@pytest.mark.parametrize("command", ["create", "update"])
@pytest.mark.parametrize(
    "payload",
    [
        {"a": [None, {"b": None}], "c": {}, "d": []},
        {"big": 2**63 - 1, "small": -(2**63), "odd": 2**53 + 1, "part": 0.1, "tiny": 5e-324},
        {"\U0001f600": "e\u0301\x00\x7f\x85\u2028\ufeff\uffff\U0010ffff", "no": "1e3"},
        [1, [2, [3]]],
        "text",
        0,
        False,
        {},
        [],
    ],
    ids=lambda value: str(value)[:12],
)
def test_payloads_are_kept(
    cronjob: Run,
    spec: Callable[..., Object],
    client: Client,
    namespace: str,
    tmp_path: Path,
    payload: Any,
    command: str,
) -> None:
    # Whatever was there before, and whoever wrote it.
    before = {"old": 1, "a": {"x": 1}, "c": {"y": 2}}
    manifest = trigger_manifest(namespace, payload=before)
    client.create(TRIGGERS, manifest, manager="kubectl")
    path = tmp_path / "payload.json"
    path.write_text(json.dumps(payload))
    needed = FLAGS if command == "create" else []
    done = cronjob(command, "tick", *needed, "--payload-from-file", str(path))
    assert done.returncode == 0, done.stderr
    kept = spec()["payload"]
    assert (kept, type(kept)) == (payload, type(payload))
    shown = cronjob("describe", "tick", "-o", "json").stdout
    assert json.loads(shown)["spec"]["payload"] == payload

    # And goes again.
    assert cronjob("update", "tick", "--payload", "").returncode == 0
    assert "payload" not in spec()


def test_the_largest_payload_is_taken(
    cronjob: Run, spec: Callable[..., Object], tmp_path: Path
) -> None:
    path = tmp_path / "payload.json"
    path.write_text(json.dumps("\u00e9" * (900 * 512 - 1), ensure_ascii=False), encoding="utf-8")
    for _ in range(2):
        done = cronjob("create", "tick", *FLAGS, "-f", str(path))
        assert done.returncode == 0, done.stderr
    assert len(spec()["payload"]) == 900 * 512 - 1
    path.write_text(json.dumps("x" * 900 * 1024))
    done = cronjob("create", "tick", *FLAGS, "-f", str(path))
    assert done.returncode == 2
    assert "a trigger holds at most 900 KiB" in done.stderr


def test_what_the_original_made_is_replaced_as_a_whole(
    cronjob: Run, spec: Callable[..., Object], client: Client, namespace: str
) -> None:
    legacy = trigger_manifest(namespace, payload={"old": 1})
    client.create(TRIGGERS, legacy, manager="kubeless")
    assert cronjob("create", "tick", *FLAGS).returncode == 0
    assert spec() == SPEC


def test_a_dry_run_is_what_the_cluster_gets(cronjob: Run, spec: Callable[..., Object]) -> None:
    flags = [*FLAGS, "-p", '{"a": null}', "--concurrency-policy", "Forbid"]
    printed = json.loads(cronjob("create", "tick", *flags, "--dryrun", "-o", "json").stdout)
    assert "No cronjob triggers found" in cronjob("list").stderr
    assert cronjob("create", "tick", *flags).returncode == 0
    assert spec() == printed["spec"]
    changed = cronjob("update", "tick", "-p", "1", "--dryrun", "-o", "json")
    assert json.loads(changed.stdout)["spec"] == spec() | {"payload": 1}


@pytest.mark.usefixtures("controlled")
def test_waiting_ends_when_it_calls_is_suspended_or_is_wrong(cronjob: Run, deploy: Deploy) -> None:
    waits = cronjob("create", "tick", *FLAGS, "--wait", "--wait-timeout", "2s")
    assert (waits.returncode, waits.stdout) == (1, "")
    assert "Note: There is no function 'hello'" in waits.stderr
    assert "Cronjob trigger tick is not ready after 2 s. FunctionNotFound" in waits.stderr

    deploy()
    done = cronjob("create", "tick", *FLAGS, "--wait")
    assert (done.returncode, done.stdout) == (0, "tick\n"), done.stderr
    assert "Cronjob trigger tick is ready" in done.stderr
    assert cronjob("list").stdout.splitlines()[1].split()[-1] == "True"
    assert "Next firing:" in cronjob("describe", "tick").stdout

    done = cronjob("update", "tick", "--suspend", "--wait")
    assert (done.returncode, done.stdout) == (0, "tick\n"), done.stderr
    assert "Cronjob trigger tick is suspended" in done.stderr

    wrong = cronjob("update", "tick", "--schedule", "61 * * * *", "--wait")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "Cronjob trigger tick failed." in wrong.stderr
