"""From flags to a CronJobTrigger, and what is said about flags that make none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kubeless_cli import cronjob_trigger
from kubeless_cli.app import root
from kubeless_cli.commands.trigger_cronjob_describe import page
from kubeless_cli.commands.trigger_cronjob_list import COLUMNS, WIDE_COLUMNS, row
from kubeless_cli.cronjob_trigger import CronJobWish, change
from kubeless_cli.errors import Failure

Object = dict[str, Any]
NEEDED = ["--function", "hello", "--schedule", "*/5 * * * *"]
SPEC: Object = {"function-name": "hello", "schedule": "*/5 * * * *"}


def run(command: str, *arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(root, ["trigger", "cronjob", command, "tick", *arguments], **options)


def created(*arguments: str) -> Object:
    result = run("create", *NEEDED, "--dryrun", "-o", "json", *arguments)
    assert result.exit_code == 0, result.output
    printed: Object = json.loads(result.stdout)
    return printed


def test_a_dry_run_is_a_clean_manifest_and_asks_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nosuch"))
    assert created("-n", "apps") == {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "CronJobTrigger",
        "metadata": {"name": "tick", "namespace": "apps", "labels": {"created-by": "kubeless"}},
        "spec": SPEC,
    }


@pytest.mark.parametrize(
    ("flags", "spec"),
    [
        (["--payload", '{"a": null}'], {"payload": {"a": None}}),
        (["-p", "{}"], {"payload": {}}),
        (["-p", "0"], {"payload": 0}),
        (["-p", ""], {}),
        (["-p", "null"], {}),
        (["--time-zone", "Europe/Berlin"], {"timeZone": "Europe/Berlin"}),
        (["--time-zone", ""], {}),
        (["--concurrency-policy", "forbid"], {"concurrencyPolicy": "Forbid"}),
        (["--starting-deadline", "10m"], {"startingDeadlineSeconds": 600}),
        (["--retries", "0"], {"backoffLimit": 0}),
        (["--retries", ""], {}),
        (["--suspend"], {"suspend": True}),
        (["--no-suspend"], {}),
        (["--suspend", "--resume"], {}),
        (
            ["--successful-jobs-history-limit", "5", "--failed-jobs-history-limit", "0"],
            {"successfulJobsHistoryLimit": 5, "failedJobsHistoryLimit": 0},
        ),
    ],
)
def test_flags_are_fields(flags: list[str], spec: Object) -> None:
    assert created(*flags)["spec"] == SPEC | spec


def test_a_payload_may_come_from_standard_input() -> None:
    result = run("create", *NEEDED, "--dryrun", "-o", "json", "-f", "-", input="a: 1\n")
    assert json.loads(result.stdout)["spec"]["payload"] == {"a": 1}


@pytest.mark.parametrize("schedule", ["* * * * *", "0 3 * * mon-fri", "@daily", "@every 1h30m"])
def test_schedules(schedule: str) -> None:
    assert created("--schedule", schedule)["spec"]["schedule"] == schedule


@pytest.mark.parametrize(
    ("flag", "value", "found"),
    [
        ("--function", "A", "'A' is not a function name"),
        ("--schedule", "", "found nothing, expected five fields"),
        ("--schedule", "* * * * * *", "found '* * * * * *', expected five fields"),
        ("--schedule", "@often", "found '@often', expected five fields"),
        ("--schedule", "CRON_TZ=UTC * * * * *", "--time-zone"),
        ("--time-zone", "Europe/Berln", "Did you mean Europe/Berlin"),
        ("--time-zone", "+02:00", "'+02:00' is not a time zone"),
        ("--payload", "{", "not JSON"),
        ("--payload-from-file", "nosuch", "'nosuch' does not exist"),
        ("--concurrency-policy", "Never", "expected Allow, Forbid, Replace"),
        ("--starting-deadline", "soon", "'soon' is not a duration"),
        ("--retries", "21", "'21' is not a number from 0 to 20"),
        ("--retries", "-1", "'-1' is not a number from 0 to 20"),
        ("--failed-jobs-history-limit", "many", "'many' is not a number"),
        ("--successful-jobs-history-limit", "9" * 99, "is not a number"),
    ],
)
def test_a_bad_value_is_refused_naming_its_flag(flag: str, value: str, found: str) -> None:
    flags = {"--function": "hello", "--schedule": "* * * * *", flag: value}
    result = run("create", "--dryrun", *(part for pair in flags.items() for part in pair))
    assert (result.exit_code, result.stdout) == (2, "")
    assert flag in result.stderr
    assert found in " ".join(result.stderr.split())


def test_a_machine_without_time_zones_takes_what_looks_like_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    cronjob_trigger.check_time_zone("America/Argentina/Buenos_Aires")
    with pytest.raises(ValueError, match="expected its IANA name"):
        cronjob_trigger.check_time_zone("+02:00")


@pytest.mark.parametrize("command", ["create", "update"])
def test_two_payloads_are_refused(command: str, tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text("1")
    needed = NEEDED if command == "create" else []
    result = run(command, *needed, "-p", "1", "-f", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--payload and --payload-from-file exclude each other" in result.stderr


@pytest.mark.parametrize("missing", ["--function", "--schedule"])
def test_what_a_trigger_can_not_do_without_is_named(missing: str) -> None:
    given = {"--function": "hello", "--schedule": "@daily"}
    del given[missing]
    result = run("create", "--dryrun", *(part for pair in given.items() for part in pair))
    assert result.exit_code == 2
    assert missing in result.stderr


def test_an_update_of_nothing_is_refused() -> None:
    result = run("update")
    assert result.exit_code == 2
    assert "Nothing to change" in result.stderr


def trigger(**spec: Any) -> Object:
    return {"metadata": {"name": "tick", "namespace": "apps", "generation": 1}, "spec": SPEC | spec}


def test_an_update_changes_what_the_flags_say_and_nothing_else() -> None:
    before = trigger(payload={"a": None}, suspend=True, timeZone="UTC")
    after = change(before, CronJobWish(suspend=False, schedule="@daily"))
    spec = {"schedule": "@daily", "payload": {"a": None}, "timeZone": "UTC"}
    assert after == before | {"spec": SPEC | spec}
    assert before["spec"]["suspend"] is True, "the given object is left as it is"
    assert "payload" not in change(before, CronJobWish(payload=(None,)))["spec"]
    assert change(before, CronJobWish(payload=([],)))["spec"]["payload"] == []


def owned(**spec: Any) -> Object:
    found = trigger(**spec)
    reference = {"apiVersion": "kubeless.io/v1beta1", "kind": "Function", "name": "hello"}
    return found | {"metadata": found["metadata"] | {"ownerReferences": [reference]}}


def test_what_a_functions_schedule_decides_is_changed_there() -> None:
    with pytest.raises(Failure) as caught:
        change(owned(), CronJobWish(schedule="@daily"))
    assert """'kubeless function update hello --schedule "@daily"'""" in caught.value.message
    with pytest.raises(Failure, match="calls nothing else"):
        change(owned(), CronJobWish(function_name="other"))
    same = CronJobWish(schedule=SPEC["schedule"], function_name="hello", payload=(1,))
    assert change(owned(), same)["spec"]["payload"] == 1
    with pytest.raises(Failure, match="would come back"):
        cronjob_trigger.refuse_to_delete_what_comes_back(owned())
    cronjob_trigger.refuse_to_delete_what_comes_back(trigger())


STATUS: Object = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Scheduled",
            "message": "why",
            "observedGeneration": 1,
        }
    ],
    "cronJob": "tick",
    "lastFiringTime": "2026-01-02T03:00:00Z",
    "lastResult": "Failed",
    "lastMessage": "500: boom",
    "nextFiringTime": "2026-01-02T03:05:00Z",
}


def test_a_row_begins_with_the_originals_columns() -> None:
    assert COLUMNS[:4] == ["NAME", "NAMESPACE", "SCHEDULE", "FUNCTION NAME"]
    own = ["tick", "apps", "*/5 * * * *", "hello"]
    assert row(trigger(), wide=False) == [*own, "", "", "", "Unknown"]
    times = ["2026-01-02T03:00:00Z", "Failed", "2026-01-02T03:05:00Z"]
    wide = row(trigger(timeZone="UTC") | {"status": STATUS}, wide=True)
    assert wide == [*own, *times, "True", "Scheduled", "UTC", "500: boom"]
    assert len(wide) == len(WIDE_COLUMNS)


def test_describe_shows_what_is_set() -> None:
    spec = {
        "payload": {"a": "\u00e9"},
        "suspend": True,
        "backoffLimit": 0,
        "failedJobsHistoryLimit": 0,
        "startingDeadlineSeconds": 60,
    }
    words = " ".join(page(owned(**spec) | {"status": STATUS}).split())
    for part in (
        "Function: hello",
        "Made by: the schedule of function hello",
        "Schedule: */5 * * * *",
        'Payload: {"a": "\u00e9"}',
        "Suspended: yes",
        "Retries: 0",
        "Deadline: 60 s",
        "Jobs kept: 0 failed",
        "Message: 500: boom",
        "Next firing: 2026-01-02T03:05:00Z",
        "Ready True Scheduled",
    ):
        assert part in words, part
    bare = page(trigger())
    assert "Payload" not in bare
    assert "not looked at this cronjob trigger yet" in bare
    assert "(502 more characters)" in page(trigger(payload="x" * 1000))
