"""What the controller makes of a CronJobTrigger."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeless_controller.desired import cronjob_name
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, CRONJOBS, EVENTS, JOBS, PODS
from support.controller import Controller
from support.functions import manifest
from support.objects import exists, find
from support.triggers import YEARLY, end_pod, fire, trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Schedule = Callable[..., Object]
Condition = Callable[..., Object]

OWN = "kubeless.io/trigger=cronjob"


def cron_job(client: Client, namespace: str, name: str = "trigger-hello") -> Object:
    return client.get(CRONJOBS, namespace, name)


def pod_of(cron_job: Object) -> Object:
    found: Object = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def status(client: Client, namespace: str, name: str = "tick") -> Object:
    """What the trigger's status says; nothing also where the trigger is still to be made."""
    return (find(client, CRONJOB_TRIGGERS, namespace, name) or {}).get("status") or {}


def cron_jobs(client: Client, namespace: str) -> set[str]:
    return {item["metadata"]["name"] for item in client.list(CRONJOBS, namespace)["items"]}


def payloads(client: Client, namespace: str) -> list[Object]:
    found: list[Object] = client.list(CONFIGMAPS, namespace, labels=OWN)["items"]
    return found


def events(client: Client, namespace: str, reason: str) -> list[Object]:
    found = client.list(EVENTS, namespace, fields="involvedObject.kind=CronJobTrigger")["items"]
    return [event for event in found if event["reason"] == reason]


@pytest.mark.usefixtures("controlled")
def test_a_cron_job_that_calls_the_function(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy(timeout="2.5", service={"ports": [{"port": 80}]})
    made = schedule(
        timeZone="Europe/Berlin",
        concurrencyPolicy="Forbid",
        startingDeadlineSeconds=30,
        successfulJobsHistoryLimit=0,
        failedJobsHistoryLimit=5,
        backoffLimit=1,
        payload={"text": 'it\'s "quoted"\n$(date) 😀'},
    )
    assert trigger_condition("tick", "Accepted")["status"] == "True"
    ready = trigger_condition("tick", "Ready", "Scheduled")
    assert ready["status"] == "True"
    assert f"trigger-hello calls at {YEARLY} (Europe/Berlin)" in ready["message"]
    live = cron_job(client, namespace)
    (owner,) = live["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "CronJobTrigger",
        made["metadata"]["uid"],
        True,
    )
    assert live["metadata"]["labels"] == {
        "created-by": "kubeless",
        "kubeless.io/trigger": "cronjob",
    }
    spec = live["spec"]
    assert (spec["schedule"], spec["timeZone"]) == (YEARLY, "Europe/Berlin")
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == ("Forbid", 30)
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (0, 5)
    assert spec["suspend"] is False
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 1
    # Never created-by and function: the pods would become endpoints of the function's Service.
    for marks in (spec["jobTemplate"]["metadata"], job["template"]["metadata"]):
        assert marks["labels"] == {"kubeless.io/trigger": "cronjob"}
        assert marks["annotations"] == {"kubeless.io/trigger-name": "tick"}
    pod = pod_of(live)
    (container,) = pod["containers"]
    assert container["image"] == "localhost/kubeless/python3.13:test"
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert values["KUBELESS_URL"] == f"http://hello.{namespace}.svc:80"
    assert values["KUBELESS_TIMEOUT"] == "7.5"
    assert "event-namespace: cronjobtrigger.kubeless.io" in values["KUBELESS_HEADERS"]
    assert "$" not in json.dumps(container["env"]), "the kubelet expands $(NAME)"
    (config_map,) = payloads(client, namespace)
    assert config_map["immutable"] is True
    assert json.loads(config_map["data"]["payload.json"]) == made["spec"]["payload"]
    assert pod["volumes"][0]["configMap"]["name"] == config_map["metadata"]["name"]
    seen = status(client, namespace)
    assert seen["cronJob"] == "trigger-hello"
    assert seen["nextFiringTime"].endswith("12-31T23:00:00Z"), "midnight in Berlin"
    assert "lastFiringTime" not in seen
    # A change of the Function reaches its triggers.
    deploy(timeout=60)
    wait_for(
        lambda: (
            {"name": "KUBELESS_TIMEOUT", "value": "65"}
            in pod_of(cron_job(client, namespace))["containers"][0]["env"]
        ),
        "the caller waits for as long as the function may take",
    )


@pytest.mark.usefixtures("controlled")
def test_a_trigger_waits_for_its_function_and_never_dangles(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    schedule()
    told = trigger_condition("tick", "Accepted", "FunctionNotFound")
    assert "spec.function-name: there is no Function 'hello' in this namespace" in told["message"]
    assert trigger_condition("tick", "Ready", "FunctionNotFound")["status"] == "False"
    assert cron_jobs(client, namespace) == set()
    deploy()
    trigger_condition("tick", "Ready", "Scheduled")
    client.delete(FUNCTIONS, namespace, "hello")
    trigger_condition("tick", "Accepted", "FunctionNotFound")
    wait_for(lambda: not cron_jobs(client, namespace), "its CronJob is deleted")
    assert not {"cronJob", "nextFiringTime"} & status(client, namespace).keys()
    deploy()
    trigger_condition("tick", "Ready", "Scheduled")
    assert cron_jobs(client, namespace) == {"trigger-hello"}
    client.delete(CRONJOB_TRIGGERS, namespace, "tick")
    wait_for(lambda: not cron_jobs(client, namespace), "the CronJob goes with its trigger", 60)


@pytest.mark.usefixtures("controlled")
def test_another_function_is_called_by_another_cron_job(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    deploy("other")
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    schedule(function="other")
    trigger_condition("tick", "Ready", "Scheduled")
    assert cron_jobs(client, namespace) == {"trigger-other"}
    schedule(function="missing")
    trigger_condition("tick", "Ready", "FunctionNotFound")
    assert cron_jobs(client, namespace) == set()


@pytest.mark.usefixtures("controlled")
def test_several_triggers_of_one_function_each_have_their_own(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    schedule("first")
    trigger_condition("first", "Ready", "Scheduled")
    schedule("second", schedule="@hourly")
    trigger_condition("second", "Ready", "Scheduled")
    second = cronjob_name.second("hello", "second")
    assert cron_jobs(client, namespace) == {"trigger-hello", second}
    assert cron_job(client, namespace, second)["spec"]["schedule"] == "@hourly"
    assert status(client, namespace, "second")["cronJob"] == second
    # The name that was chosen stays, also when the other one is free.
    client.delete(CRONJOB_TRIGGERS, namespace, "first")
    wait_for(lambda: cron_jobs(client, namespace) == {second}, "the first one goes", 60)
    schedule("second", schedule="@daily")
    trigger_condition("second", "Ready", "Scheduled")
    wait_for(
        lambda: cron_job(client, namespace, second)["spec"]["schedule"] == "@daily", "the new one"
    )
    assert cron_jobs(client, namespace) == {second}
    long = "f" * 63
    deploy(long)
    schedule("third", function=long)
    trigger_condition("third", "Ready", "Scheduled")
    name = cronjob_name.first(long)
    assert len(name) <= 52
    assert name in cron_jobs(client, namespace)


def test_many_triggers_made_at_once_have_one_each(
    client: Client, namespace: str, controlled: Controller
) -> None:
    client.create(FUNCTIONS, manifest(namespace))
    names = [f"t{number}" for number in range(8)]
    for name in names:
        client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, name))
    wait_for(lambda: len(cron_jobs(client, namespace)) == len(names), "each has a CronJob")
    wait_for(controlled.settled, "the controller has nothing to do")
    assert "trigger-hello" in cron_jobs(client, namespace)
    assert {status(client, namespace, name)["cronJob"] for name in names} == cron_jobs(
        client, namespace
    )
    assert not events(client, namespace, "Conflict")


@pytest.mark.usefixtures("controlled")
def test_what_only_the_api_server_knows_is_wrong(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    schedule(schedule="0 25 * * *")
    told = trigger_condition("tick", "Accepted", "InvalidSchedule")["message"]
    assert "spec.schedule: found '0 25 * * *', which the API server refuses: " in told
    assert "hour 0-23" in told
    assert trigger_condition("tick", "Ready", "InvalidSchedule")["status"] == "False"
    assert cron_jobs(client, namespace) == set()
    schedule(timeZone="Europe/Atlantis")
    told = trigger_condition("tick", "Accepted", "InvalidTimeZone")["message"]
    assert "spec.timeZone: found 'Europe/Atlantis', which the API server refuses: " in told
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    # What ran goes on until the spec is right again.
    schedule(schedule="0 25 * * *")
    trigger_condition("tick", "Accepted", "InvalidSchedule")
    assert cron_job(client, namespace)["spec"]["schedule"] == YEARLY
    assert status(client, namespace)["cronJob"] == "trigger-hello"


@pytest.mark.usefixtures("controlled")
def test_a_function_that_cannot_be_built_is_said(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy(service={"ports": [{"port": "none"}]})
    schedule()
    told = trigger_condition("tick", "Accepted", "FunctionInvalid")["message"]
    assert "the Function 'hello' cannot be built; mend it: spec.service.ports[0].port" in told
    deploy()
    trigger_condition("tick", "Ready", "Scheduled")


def test_somebody_elses_cron_job_is_left_alone(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
    controlled: Controller,
) -> None:
    theirs = {
        "metadata": {"name": "trigger-hello", "namespace": namespace},
        "spec": {
            "schedule": YEARLY,
            "jobTemplate": {
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [{"name": "x", "image": "x"}],
                        }
                    }
                }
            },
        },
    }
    made = client.create(CRONJOBS, theirs)
    deploy()
    schedule()
    told = trigger_condition("tick", "Accepted", "Conflict")["message"]
    assert "a CronJob named 'trigger-hello' exists already" in told
    assert "kubectl get cronjob trigger-hello" in told
    wait_for(controlled.settled, "the controller has nothing to do")
    live = cron_job(client, namespace)
    assert live["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert cron_jobs(client, namespace) == {"trigger-hello"}
    client.delete(CRONJOBS, namespace, "trigger-hello")
    trigger_condition("tick", "Ready", "Scheduled")


@pytest.mark.usefixtures("controlled")
def test_a_trigger_that_is_suspended(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    schedule(suspend=True)
    told = trigger_condition("tick", "Ready", "Suspended")
    assert told["status"] == "False"
    assert "spec.suspend is true" in told["message"]
    assert trigger_condition("tick", "Accepted")["status"] == "True"
    assert cron_job(client, namespace)["spec"]["suspend"] is True
    assert "nextFiringTime" not in status(client, namespace)
    (event,) = wait_for(lambda: events(client, namespace, "Suspended"), "an event")
    assert event["type"] == "Normal"
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    assert cron_job(client, namespace)["spec"]["suspend"] is False
    assert "nextFiringTime" in status(client, namespace)


@pytest.mark.usefixtures("controlled")
def test_payloads_stay_for_as_long_as_a_job_may_send_them(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    def versions() -> set[int]:
        found = [config_map["data"]["payload.json"] for config_map in payloads(client, namespace)]
        return {json.loads(payload)["version"] for payload in found}

    deploy()
    schedule(payload={"version": 1})
    trigger_condition("tick", "Ready", "Scheduled")
    (first,) = payloads(client, namespace)
    fire(client, namespace, "trigger-hello", "by-hand")
    schedule(payload={"version": 2})
    trigger_condition("tick", "Ready", "Scheduled")
    assert versions() == {1, 2}
    schedule(payload={"version": 3})
    trigger_condition("tick", "Ready", "Scheduled")
    # Nothing needs the second any more: when it goes, the first, which is older, has been kept for long enough.
    wait_for(lambda: versions() == {1, 3}, "the second one goes")
    assert exists(client, CONFIGMAPS, namespace, first["metadata"]["name"])
    client.delete(JOBS, namespace, "by-hand")
    wait_for(lambda: versions() == {3}, "the first one goes")
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    assert "volumes" not in pod_of(cron_job(client, namespace))
    wait_for(lambda: not versions(), "nothing is left")


@pytest.mark.usefixtures("controlled")
def test_the_status_says_how_calls_went(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    schedule(backoffLimit=0)
    trigger_condition("tick", "Ready", "Scheduled")

    def result(wanted: str) -> Object:
        def look() -> Object | None:
            seen = status(client, namespace)
            return seen if seen.get("lastResult") == wanted else None

        return wait_for(look, f"the last result is {wanted}")

    # The Job's name has the minutes since 1970 of the time for which it was scheduled.
    fire(client, namespace, "trigger-hello", "trigger-hello-26824920")
    assert result("Running")["lastFiringTime"] == "2021-01-01T10:00:00Z"
    end_pod(client, namespace, "trigger-hello-26824920", 1, "http://x: answered 500: no")
    failed = result("Failed")
    assert failed["lastMessage"] == "http://x: answered 500: no"
    assert "lastFailureTime" in failed
    (event,) = wait_for(lambda: events(client, namespace, "FiringFailed"), "an event")
    assert event["type"] == "Warning"
    assert "the call of 2021-01-01T10:00:00Z failed: http://x: answered 500: no" in event["message"]
    fire(client, namespace, "trigger-hello", "trigger-hello-26824921")
    wait_for(lambda: result("Running")["lastFiringTime"] == "2021-01-01T10:01:00Z", "the second")
    end_pod(client, namespace, "trigger-hello-26824921", 0)
    succeeded = result("Succeeded")
    assert succeeded["lastFiringTime"] == "2021-01-01T10:01:00Z"
    assert "lastMessage" not in succeeded
    # What was seen stays when the Job is gone.
    client.delete(JOBS, namespace, "trigger-hello-26824921")
    schedule(suspend=True, backoffLimit=0)
    trigger_condition("tick", "Ready", "Suspended")
    assert status(client, namespace)["lastResult"] == "Succeeded"
    assert len(events(client, namespace, "FiringFailed")) == 1


@pytest.mark.usefixtures("controlled")
def test_a_call_that_is_made_again_says_why_the_first_attempt_failed(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy()
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    fire(client, namespace, "trigger-hello", "by-hand")
    end_pod(client, namespace, "by-hand", 1, "broken")
    wait_for(
        lambda: status(client, namespace).get("lastMessage") == "an attempt failed: broken",
        "the attempt is told",
    )
    assert status(client, namespace)["lastResult"] == "Running"
    made = datetime.fromisoformat(status(client, namespace)["lastFiringTime"])
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60
    client.delete(JOBS, namespace, "by-hand")
    wait_for(
        lambda: "deleted before its end" in status(client, namespace).get("lastMessage", ""),
        "a Job that went is told",
    )
    assert "lastResult" not in status(client, namespace)


def test_a_restart_writes_nothing_and_a_settled_trigger_is_left_alone(
    client: Client, namespace: str, controller: Controller
) -> None:
    client.create(FUNCTIONS, manifest(namespace))
    specs: dict[str, Object] = {
        "plain": {},
        "payload": {"payload": [1, 2.5, "x"], "timeZone": "America/New_York"},
        "suspended": {"suspend": True, "schedule": "@every 720h"},
        "waiting": {"function": "missing"},
        "deadline": {"startingDeadlineSeconds": 100, "concurrencyPolicy": "Replace"},
        "failed": {"backoffLimit": 0},
    }
    for name, spec in specs.items():
        client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, name, **spec))
    scheduled = manifest(namespace, "own", type="Scheduled", schedule="@monthly")
    client.create(FUNCTIONS, scheduled)
    wait_for(
        lambda: all(status(client, namespace, name) for name in (*specs, "own")), "all are told"
    )
    name = status(client, namespace, "failed")["cronJob"]
    fire(client, namespace, name, "by-hand")
    end_pod(client, namespace, "by-hand", 1, "no")
    wait_for(lambda: status(client, namespace, "failed").get("lastResult") == "Failed", "it failed")
    wait_for(controller.settled, "the controller has nothing to do")
    assert controller.process is not None
    assert controller.process.stop() == 0, controller.process.tail()
    controller.start()
    wait_for(
        lambda: controller.metric("controller_runtime_reconcile_total") >= len(specs) + 3,
        "everything is looked at",
    )
    wait_for(controller.settled, "the controller has nothing to do")
    assert controller.writes() == 0, controller.process.tail(60)
    assert len(events(client, namespace, "FiringFailed")) == 1


def test_drift_is_repaired(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
    controlled: Controller,
) -> None:
    deploy()
    schedule(payload={"a": 1})
    trigger_condition("tick", "Ready", "Scheduled")
    client.patch(CRONJOBS, namespace, "trigger-hello", {"spec": {"schedule": "* * * * *"}})
    wait_for(
        lambda: cron_job(client, namespace)["spec"]["schedule"] == YEARLY, "the schedule is ours"
    )
    before = cron_job(client, namespace)["metadata"]["uid"]
    client.delete(CRONJOBS, namespace, "trigger-hello")
    wait_for(
        lambda: (
            exists(client, CRONJOBS, namespace, "trigger-hello")
            and cron_job(client, namespace)["metadata"]["uid"] != before
        ),
        "the CronJob is back",
    )
    (config_map,) = payloads(client, namespace)
    client.delete(CONFIGMAPS, namespace, config_map["metadata"]["name"])
    wait_for(lambda: payloads(client, namespace), "the payload is back")
    wait_for(controlled.settled, "the controller has nothing to do")


@pytest.mark.usefixtures("controlled")
def test_the_pods_of_calls_are_never_the_functions(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
) -> None:
    deploy(labels={"team": "red"})
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    fire(client, namespace, "trigger-hello", "by-hand")
    (pod,) = wait_for(
        lambda: client.list(PODS, namespace, labels="batch.kubernetes.io/job-name=by-hand")[
            "items"
        ],
        "the Job has a pod",
    )
    labels = pod["metadata"]["labels"]
    assert labels["kubeless.io/trigger"] == "cronjob"
    assert not {"created-by", "function", "team"} & labels.keys()


def test_only_the_named_namespaces_are_worked_in(
    client: Client,
    namespace: str,
    deploy: Deploy,
    schedule: Schedule,
    trigger_condition: Condition,
    controller_process: Controller,
) -> None:
    controller_process.configure(watchNamespaces=[namespace])
    controller_process.start()
    deploy()
    schedule()
    trigger_condition("tick", "Ready", "Scheduled")
    assert cron_jobs(client, namespace) == {"trigger-hello"}
