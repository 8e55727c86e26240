"""CronJobs that the original's controller left: taken over, never doubled, never left to fire for nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import CRONJOBS, JOBS
from support.controller import Controller
from support.functions import manifest
from support.triggers import YEARLY, trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]
Condition = Callable[..., Object]

MANAGER = "cronjob-trigger-controller"
# So that none is missed that the cluster would make up for.
LAST = f"{datetime.now(UTC).year}-01-01T00:00:00Z"


def left_behind(
    client: Client, namespace: str, function: str, trigger: str = "tick", uid: str = ""
) -> Object:
    """Make a trigger and its CronJob as the original did, or with ``uid`` a CronJob of a trigger that is gone."""
    if not uid:
        wanted = trigger_manifest(namespace, trigger, function=function, payload=None)
        wanted["metadata"] |= {
            "finalizers": ["kubeless.io/cronjobtrigger"],
            "labels": {"created-by": "kubeless"},
        }
        uid = client.create(CRONJOB_TRIGGERS, wanted, manager="kubeless")["metadata"]["uid"]
    owner = {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Trigger",
        "name": trigger,
        "uid": uid,
    }
    metadata = {
        "name": f"trigger-{function}",
        "namespace": namespace,
        "labels": {"created-by": "kubeless", "function": function},
        "ownerReferences": [owner],
    }
    container = {
        "name": "trigger",
        "image": "kubeless/unzip@sha256:0",
        "args": ["/bin/sh", "-c", f"curl -Lv http://{function}.{namespace}.svc.cluster.local:8080"],
        "resources": {"limits": {"cpu": "1m", "memory": "4Mi"}},
    }
    spec = {
        "schedule": YEARLY,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "spec": {
                "activeDeadlineSeconds": 180,
                "template": {"spec": {"containers": [container], "restartPolicy": "Never"}},
            }
        },
    }
    made = client.create(CRONJOBS, {"metadata": metadata, "spec": spec}, manager=MANAGER)
    # A controller that runs may have deleted it by now, when its trigger is gone.
    with suppress(NotFound):
        client.patch(
            CRONJOBS,
            namespace,
            metadata["name"],
            {"status": {"lastScheduleTime": LAST}},
            subresource="status",
        )
    return made


def cron_jobs(client: Client, namespace: str) -> dict[str, Object]:
    found = client.list(CRONJOBS, namespace)["items"]
    return {item["metadata"]["name"]: item for item in found}


def test_the_originals_cron_job_is_taken_over(
    client: Client,
    namespace: str,
    controller_process: Controller,
    trigger_condition: Condition,
) -> None:
    client.create(FUNCTIONS, manifest(namespace))
    before = left_behind(client, namespace, "hello")
    controller_process.start()
    trigger_condition("tick", "Ready", "Scheduled")
    (live,) = cron_jobs(client, namespace).values()
    metadata = live["metadata"]
    assert metadata["uid"] == before["metadata"]["uid"], "it was never made anew"
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["controller"]) == ("CronJobTrigger", True)
    assert metadata["labels"] == {"created-by": "kubeless", "kubeless.io/trigger": "cronjob"}
    (container,) = live["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert "args" not in container
    assert container["command"][-1] == "/opt/kubeless/server/kubeless_call"
    assert "cpu" not in container["resources"]["limits"]
    # What it fired last is known still: a new one would not be.
    assert live["status"]["lastScheduleTime"] == LAST
    assert not client.list(JOBS, namespace)["items"]
    trigger = client.get(CRONJOB_TRIGGERS, namespace, "tick")
    assert not trigger["metadata"].get("finalizers")
    client.delete(CRONJOB_TRIGGERS, namespace, "tick")
    wait_for(lambda: not cron_jobs(client, namespace), "it goes with its trigger", 60)


def test_a_function_or_a_schedule_that_is_wrong_leaves_nothing_that_fires_forever(
    client: Client,
    namespace: str,
    controller_process: Controller,
    trigger_condition: Condition,
) -> None:
    # Its Function is gone: it called nobody.
    left_behind(client, namespace, "gone")
    client.create(FUNCTIONS, manifest(namespace, "hello"))
    # It changed while no controller ran: the CronJob is of the Function before.
    left_behind(client, namespace, "before", "moved")
    client.patch(CRONJOB_TRIGGERS, namespace, "moved", {"spec": {"function-name": "hello"}})
    # Its trigger was deleted, and the finalizer waits for a controller.
    left_behind(client, namespace, "deleted", "deleted")
    client.delete(CRONJOB_TRIGGERS, namespace, "deleted")
    # Its trigger is gone altogether; no collector knows the kind of its owner.
    left_behind(client, namespace, "orphan", "nobody", uid="00000000-0000-4000-8000-000000000001")
    # The same, and its trigger was made again.
    left_behind(client, namespace, "again", "again", uid="00000000-0000-4000-8000-000000000002")
    client.create(FUNCTIONS, manifest(namespace, "again"))
    client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, "again", function="again"))
    old = cron_jobs(client, namespace)
    assert len(old) == 5
    controller_process.start()
    trigger_condition("tick", "Ready", "FunctionNotFound")
    trigger_condition("moved", "Ready", "Scheduled")
    trigger_condition("again", "Ready", "Scheduled")
    wait_for(
        lambda: set(cron_jobs(client, namespace)) == {"trigger-hello", "trigger-again"},
        "only what is wanted is left",
    )
    now = cron_jobs(client, namespace)["trigger-again"]["metadata"]["uid"]
    assert now != old["trigger-again"]["metadata"]["uid"]
    wait_for(
        lambda: (
            {item["metadata"]["name"] for item in client.list(CRONJOB_TRIGGERS, namespace)["items"]}
            == {"tick", "moved", "again"}
        ),
        "the deleted trigger is gone",
    )


@pytest.mark.usefixtures("controlled")
def test_a_dead_triggers_name_is_taken_by_another(
    client: Client, namespace: str, trigger_condition: Condition
) -> None:
    client.create(FUNCTIONS, manifest(namespace))
    dead = "00000000-0000-4000-8000-000000000003"
    left_behind(client, namespace, "hello", "nobody", uid=dead)
    client.create(CRONJOB_TRIGGERS, trigger_manifest(namespace, "tick"))
    trigger_condition("tick", "Ready", "Scheduled")
    wait_for(lambda: set(cron_jobs(client, namespace)) == {"trigger-hello"}, "one is left")
    (owner,) = cron_jobs(client, namespace)["trigger-hello"]["metadata"]["ownerReferences"]
    assert owner["name"] == "tick"
