"""What the API server says to a CronJobTrigger that is wrong, and to a Function's schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Invalid
from support.functions import manifest
from support.namespaces import made
from support.triggers import trigger_manifest

GOOD = [
    "* * * * *",
    "*/5 0-6,12 1 jan,MAR mon-fri",
    " 0  0 ? * 0 ",
    "@hourly",
    "@daily",
    "@every 1h30m",
    "@every 1.5h",
]
BAD = [
    "* * * *",
    "* * * * * *",
    "every minute",
    "@sometimes",
    "@every soon",
    "@every 5",
    "0 0 1 * #",
]


@pytest.fixture(scope="module")
def namespace(client: Client) -> str:
    """One for all: what is made here is refused, or a dry run."""
    return made(client)


def refusal(client: Client, namespace: str, **spec: Any) -> str:
    with pytest.raises(Invalid) as caught:
        client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, **spec), dry_run=True)
    return caught.value.message


@pytest.mark.parametrize("schedule", GOOD)
def test_schedules_that_are_right(client: Client, namespace: str, schedule: str) -> None:
    client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, schedule=schedule), dry_run=True)
    function = manifest(namespace, type="Scheduled", schedule=schedule)
    client.create(FUNCTIONS, function, dry_run=True)


@pytest.mark.parametrize("schedule", BAD)
def test_schedules_of_no_form(client: Client, namespace: str, schedule: str) -> None:
    message = refusal(client, namespace, schedule=schedule)
    assert f"spec.schedule: found '{schedule}'; expected five fields" in message
    assert "like '*/5 * * * *'" in message
    function = manifest(namespace, type="Scheduled", schedule=schedule)
    with pytest.raises(Invalid) as caught:
        client.create(FUNCTIONS, function, dry_run=True)
    assert f"spec.schedule: found '{schedule}'; expected five fields" in caught.value.message


@pytest.mark.parametrize("prefix", ["TZ=UTC", "CRON_TZ=Europe/Berlin"])
def test_a_time_zone_has_a_field_of_its_own(client: Client, namespace: str, prefix: str) -> None:
    message = refusal(client, namespace, schedule=f"{prefix} 0 * * * *")
    assert (
        f"spec.schedule: found '{prefix} 0 * * * *'; a time zone has a field of its own" in message
    )
    assert "spec.timeZone, like 'Europe/Berlin'" in message
    assert "expected five fields" not in message


@pytest.mark.parametrize("value", ["", None])
def test_what_every_trigger_needs(client: Client, namespace: str, value: str | None) -> None:
    assert "spec.schedule: found nothing; write when" in refusal(client, namespace, schedule=value)
    message = refusal(client, namespace, function=value)
    assert "spec.function-name: found nothing; name the Function" in message


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("function-name", "Not_A_Name", "spec.function-name: found 'Not_A_Name'"),
        ("function-name", "a" * 64, "at most 63 characters"),
        ("timeZone", "+02:00", "spec.timeZone: found '+02:00'; expected the IANA name"),
        ("concurrencyPolicy", "forbid", "found 'forbid'; expected Allow, Forbid or Replace"),
        ("startingDeadlineSeconds", -1, "spec.startingDeadlineSeconds"),
        ("backoffLimit", 21, "spec.backoffLimit"),
        ("failedJobsHistoryLimit", "few", "spec.failedJobsHistoryLimit"),
        ("suspend", "yes", "spec.suspend"),
    ],
)
def test_a_field_of_the_wrong_shape(
    client: Client, namespace: str, field: str, value: Any, expected: str
) -> None:
    assert expected in refusal(client, namespace, **{field: value})


@pytest.mark.parametrize("payload", [{"a": {"b": [1]}}, [1, "x"], "text", 7, 2.5, False, None])
def test_a_payload_is_any_json(client: Client, namespace: str, payload: Any) -> None:
    made = client.create(
        CRONJOB_TRIGGERS, trigger_manifest(namespace, payload=payload), dry_run=True
    )
    assert made["spec"].get("payload") == payload


def test_zero_values_mean_that_a_field_is_not_set(client: Client, namespace: str) -> None:
    zero = {
        "timeZone": "",
        "concurrencyPolicy": "",
        "startingDeadlineSeconds": 0,
        "suspend": None,
        "payload": None,
        "successfulJobsHistoryLimit": None,
        "backoffLimit": None,
    }
    client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, **zero), dry_run=True)


def test_a_field_that_does_not_exist(client: Client, namespace: str) -> None:
    wrong = trigger_manifest(namespace, timezone="UTC")
    with pytest.raises(ApiError) as caught:
        client.apply(CRONJOB_TRIGGERS, wrong, manager="user", dry_run=True)
    assert ".spec.timezone: field not declared in schema" in caught.value.message


def test_columns_of_a_list(client: Client, namespace: str) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    path = CRONJOB_TRIGGERS.path(namespace)
    answer = client.request("GET", path, headers={"Accept": accept}).json()
    columns = [column["name"] for column in answer["columnDefinitions"]]
    assert columns == [
        *("Name", "Function", "Schedule", "Suspended", "Ready", "Reason"),
        *("Last firing", "Result", "Next", "Age"),
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "Scheduled"}, "spec.schedule: found nothing although spec.type is Scheduled"),
        ({"type": "Scheduled", "schedule": ""}, "found nothing although spec.type is Scheduled"),
        ({"schedule": "@hourly"}, "found a schedule although spec.type is not Scheduled"),
        ({"type": "HTTP", "schedule": "@hourly"}, "although spec.type is not Scheduled"),
        ({"type": "PubSub"}, "spec.topic: found nothing although spec.type is PubSub"),
        ({"topic": "news"}, "spec.topic: found a topic although spec.type is not PubSub"),
        ({"type": "PubSub", "topic": "a b"}, "spec.topic: found 'a b', expected 1 to 249 letters"),
        ({"type": "Cron"}, "spec.type: found 'Cron'; expected HTTP, Scheduled or PubSub"),
        (
            {"type": "Scheduled", "schedule": "TZ=UTC * * * * *"},
            "a Function's schedule has no time zone; write a CronJobTrigger with spec.timeZone",
        ),
    ],
)
def test_a_functions_type_and_schedule_must_agree(
    refused: Callable[..., str], spec: dict[str, Any], expected: str
) -> None:
    assert expected in refused(**spec)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "", "schedule": "", "topic": ""},
        {"type": "HTTP", "schedule": None},
        {"type": None},
    ],
)
def test_functions_without_a_schedule(client: Client, namespace: str, spec: dict[str, Any]) -> None:
    client.create(FUNCTIONS, manifest(namespace, **spec), dry_run=True)
