"""A Function that has a schedule itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kubeless_api.function import parse
from kubeless_controller.reconcile import kept_triggers
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.informer import Informer
from kubeless_kube.resources import CRONJOBS, DEPLOYMENTS
from support.triggers import YEARLY
from support.waiting import wait_for
from support.world import wanted

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

pytestmark = pytest.mark.usefixtures("controlled")


def triggers(client: Client, namespace: str) -> dict[str, Object]:
    found = client.list(CRONJOB_TRIGGERS, namespace)["items"]
    return {item["metadata"]["name"]: item for item in found}


def conditions(client: Client, namespace: str) -> dict[str, str]:
    status = client.get(FUNCTIONS, namespace, "hello").get("status") or {}
    return {entry["type"]: entry["reason"] for entry in status.get("conditions", [])}


def test_it_has_a_trigger_of_its_name(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    made = deploy(type="Scheduled", schedule="@hourly")
    told = condition("hello", "Scheduled", "Scheduled")
    assert told["status"] == "True"
    assert "trigger-hello calls at @hourly" in told["message"]
    (trigger,) = triggers(client, namespace).values()
    assert trigger["spec"] == {"function-name": "hello", "schedule": "@hourly"}
    (owner,) = trigger["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Function", made["metadata"]["uid"])
    deploy(type="Scheduled", schedule=YEARLY)
    wait_for(
        lambda: client.get(CRONJOBS, namespace, "trigger-hello")["spec"]["schedule"] == YEARLY,
        "the schedule reaches the CronJob",
    )
    wait_for(
        lambda: YEARLY in condition("hello", "Scheduled", "Scheduled")["message"],
        "the Function says so",
    )
    # What a user adds to it stays, what the Function says is repaired.
    edit = {"spec": {"timeZone": "Europe/Berlin", "schedule": "@weekly"}}
    client.patch(CRONJOB_TRIGGERS, namespace, "hello", edit, manager="somebody")
    wait_for(
        lambda: (
            triggers(client, namespace)["hello"]["spec"]
            == {"function-name": "hello", "schedule": YEARLY, "timeZone": "Europe/Berlin"}
        ),
        "the schedule is the Function's again",
    )
    client.delete(CRONJOB_TRIGGERS, namespace, "hello")
    wait_for(lambda: triggers(client, namespace), "it is made again")
    condition("hello", "Scheduled", "Scheduled")
    deploy()
    wait_for(lambda: not triggers(client, namespace), "without a schedule there is none")
    wait_for(lambda: not client.list(CRONJOBS, namespace)["items"], "and no CronJob", 60)
    wait_for(lambda: "Scheduled" not in conditions(client, namespace), "nor a condition")


def test_what_is_wrong_with_the_schedule_is_said_by_the_function(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(type="Scheduled", schedule="0 25 * * *")
    told = condition("hello", "Scheduled", "InvalidSchedule")
    assert told["status"] == "False"
    assert "hour 0-23" in told["message"]
    assert condition("hello", "Accepted")["status"] == "True"
    assert client.get(DEPLOYMENTS, namespace, "hello")


def test_a_users_own_trigger_of_that_name_is_left_alone_and_the_function_runs(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    schedule: Callable[..., Object],
    trigger_condition: Condition,
) -> None:
    schedule("hello")
    deploy(type="Scheduled", schedule="@hourly")
    told = condition("hello", "Scheduled", "Conflict")
    assert "a CronJobTrigger named 'hello' exists already" in told["message"]
    assert condition("hello", "Accepted")["status"] == "True"
    assert client.get(DEPLOYMENTS, namespace, "hello")
    trigger_condition("hello", "Ready", "Scheduled")
    assert triggers(client, namespace)["hello"]["spec"]["schedule"] == YEARLY
    client.delete(CRONJOB_TRIGGERS, namespace, "hello")
    condition("hello", "Scheduled", "Scheduled")
    assert triggers(client, namespace)["hello"]["spec"]["schedule"] == "@hourly"


def test_a_cluster_without_the_definition_is_said(
    client: Client, namespace: str, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deploy(type="Scheduled", schedule="@hourly")
    unserved = replace(CRONJOB_TRIGGERS, plural="nosuchtriggers")
    monkeypatch.setattr(kept_triggers, "CRONJOB_TRIGGERS", unserved)
    keeper = kept_triggers.KeptTriggers(
        client, Informer(client, unserved), Informer(client, KAFKA_TRIGGERS)
    )
    told = keeper.ensure(parse(made), wanted(made))
    assert told is not None
    assert told.condition == "Scheduled"
    assert (told.verdict.ok, told.verdict.reason) == (False, "Unsupported")
    said = "spec.schedule: this cluster has no CronJobTriggers; install the chart's definitions"
    assert told.verdict.message == said


def test_it_goes_with_its_function(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(type="Scheduled", schedule="@hourly")
    condition("hello", "Scheduled", "Scheduled")
    client.delete(FUNCTIONS, namespace, "hello")
    wait_for(
        lambda: not triggers(client, namespace) and not client.list(CRONJOBS, namespace)["items"],
        "nothing is left",
        60,
    )
