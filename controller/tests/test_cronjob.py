"""From a CronJobTrigger to its CronJob, without a cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeless_api.cronjob_trigger import CronJobTrigger, parse
from kubeless_api.errors import SpecError
from kubeless_api.runtimes import RuntimeTable
from kubeless_controller.desired import cronjob, cronjob_name, payload
from kubeless_controller.settings import Settings

Object = dict[str, Any]
SETTINGS = Settings(
    runtimes=RuntimeTable([]),
    image_pull_secrets=("everywhere",),
    image_pull_policy="Always",
    prepare_image="registry/python3.13:1",
)


def trigger(name: str = "tick", **spec: Any) -> CronJobTrigger:
    metadata = {"namespace": "default", "name": name, "uid": "1"}
    base = {"function-name": "hello", "schedule": "* * * * *"}
    return parse({"metadata": metadata, "spec": {**base, **spec}})


def build(timeout: float = 180, config_map: str = "", **spec: Any) -> Object:
    callee = cronjob.Callee("http://hello.default.svc:8080", timeout)
    return cronjob.build(trigger(**spec), callee, "trigger-hello", config_map, SETTINGS)


def job(**options: Any) -> Object:
    found: Object = build(**options)["spec"]["jobTemplate"]["spec"]
    return found


def refusal(**spec: Any) -> SpecError:
    with pytest.raises(SpecError) as caught:
        trigger(**spec)
    return caught.value


def test_zero_values_are_defaults() -> None:
    zero = {"timeZone": "", "payload": "", "concurrencyPolicy": "", "startingDeadlineSeconds": 0}
    assert trigger(**zero, suspend=None, backoffLimit=None) == trigger()
    spec = build()["spec"]
    assert not {"timeZone", "startingDeadlineSeconds"} & spec.keys()
    assert (spec["concurrencyPolicy"], spec["suspend"]) == ("Allow", False)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (3, 1)
    assert job()["backoffLimit"] == 2


def test_zero_is_a_limit() -> None:
    spec = build(successfulJobsHistoryLimit=0, failedJobsHistoryLimit=0, backoffLimit=0)["spec"]
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (0, 0)
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


@pytest.mark.parametrize(
    ("field", "value", "reason", "told"),
    [
        ("schedule", "", "InvalidSchedule", "spec.schedule: found nothing, expected five fields"),
        ("schedule", "* * *", "InvalidSchedule", "spec.schedule: found '* * *', expected five"),
        ("schedule", "TZ=UTC * * * * *", "InvalidSchedule", "write it to spec.timeZone"),
        ("function-name", "", "InvalidSpec", "spec.function-name: found nothing"),
        ("function-name", "A b", "InvalidSpec", "spec.function-name: found 'A b'"),
        ("function-name", 7, "InvalidSpec", "spec.function-name"),
        ("concurrencyPolicy", "Queue", "InvalidSpec", "found 'Queue', expected Allow, Forbid"),
        ("suspend", "yes", "InvalidSpec", "spec.suspend: found 'yes', expected true or false"),
        ("backoffLimit", -1, "InvalidSpec", "spec.backoffLimit: found -1"),
        ("timeZone", 1, "InvalidSpec", "spec.timeZone: found 1, expected a string"),
    ],
)
def test_what_an_older_schema_let_through(field: str, value: Any, reason: str, told: str) -> None:
    error = refusal(**{field: value})
    assert error.reason == reason
    assert told in error.message


def test_pods_are_hardened_and_small() -> None:
    pod = job(config_map="tick-1")["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"] == {"memory": "64Mi"}
    assert (container["image"], container["imagePullPolicy"]) == ("registry/python3.13:1", "Always")
    assert pod["imagePullSecrets"] == [{"name": "everywhere"}]
    assert container["volumeMounts"] == [
        {"name": "payload", "mountPath": "/payload", "readOnly": True}
    ]


def test_how_long_a_call_may_take_in_all() -> None:
    slow = job(timeout=2.5, backoffLimit=3)
    assert slow["template"]["spec"]["activeDeadlineSeconds"] == 3 + 5 + 120
    # Four attempts, and 10, 20 and 40 s between them.
    assert slow["activeDeadlineSeconds"] == 4 * 128 + 70
    assert job(timeout=2.5, backoffLimit=0)["activeDeadlineSeconds"] == 128
    assert job(backoffLimit=20)["activeDeadlineSeconds"] < 24 * 3600


def test_pods_never_have_the_labels_of_the_functions_own() -> None:
    whole = build()
    template = whole["spec"]["jobTemplate"]
    for marks in (template["metadata"], template["spec"]["template"]["metadata"]):
        assert marks["labels"] == {"kubeless.io/trigger": "cronjob"}
    assert whole["metadata"]["labels"]["created-by"] == "kubeless"


def test_what_is_called_is_data() -> None:
    (container,) = job(timeout=0.5, config_map="tick-1")["template"]["spec"]["containers"]
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert values == {
        "KUBELESS_CRONJOB": "trigger-hello",
        "KUBELESS_HEADERS": (
            "event-type: application/json\n"
            "event-namespace: cronjobtrigger.kubeless.io\n"
            "ce-specversion: 1.0\n"
            "ce-type: io.kubeless.cronjobtrigger.fired\n"
            "ce-source: /apis/kubeless.io/v1beta1/namespaces/default/cronjobtriggers/tick"
        ),
        "KUBELESS_PAYLOAD": "/payload/payload.json",
        "KUBELESS_TIMEOUT": "5.5",
        "KUBELESS_URL": "http://hello.default.svc:8080",
        "KUBELESS_JOB_NAME": None,
        "KUBELESS_JOB_UID": None,
    }
    assert container["command"][0] == "/usr/bin/python3", "no shell"


@pytest.mark.parametrize("value", [0, False, {}, [], [None], "x", {"ü": "😀"}])
def test_a_payload_is_any_json_and_names_its_config_map(value: Any) -> None:
    made = payload.build(trigger(payload=value))
    assert made is not None
    assert json.loads(made["data"]["payload.json"]) == value
    assert made == payload.build(trigger(payload=value))
    other = payload.build(trigger(payload=[value]))
    assert other is not None
    assert other["metadata"]["name"] != made["metadata"]["name"]
    second = payload.build(trigger("tock", payload=value))
    assert second is not None
    assert second["metadata"]["name"] != made["metadata"]["name"]


def test_without_a_payload_there_is_no_config_map() -> None:
    assert payload.build(trigger()) is None
    assert payload.build(trigger(payload=None)) is None
    assert payload.build(trigger(payload="")) is None


def test_a_payload_that_does_not_fit() -> None:
    with pytest.raises(SpecError) as caught:
        payload.build(trigger(payload="ü" * 600_000))
    assert "spec.payload: it has 1200002 bytes as JSON; at most 1047552 fit" in caught.value.message


def test_names_fit_and_differ() -> None:
    assert cronjob_name.first("hello") == "trigger-hello"
    assert cronjob_name.first("f" * 44) == "trigger-" + "f" * 44
    names = [cronjob_name.first("f" * 45), cronjob_name.first("f" * 46)]
    names += [cronjob_name.second("hello", "a"), cronjob_name.second("hello", "b")]
    names += [cronjob_name.second("f" * 63, "a"), cronjob_name.second("f" * 62, "a")]
    names += [cronjob_name.first("a" * 32 + "-" + "b" * 30)]
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name) <= cronjob_name.MAX_LENGTH
        assert "--" not in name
    long = payload.build(trigger("t" * 253, payload=1))
    assert long is not None
    assert len(long["metadata"]["name"]) <= 253
