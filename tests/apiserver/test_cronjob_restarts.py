"""The controller of triggers comes and goes; each trigger has one CronJob, and nothing else has any."""

from __future__ import annotations

import random
import time
from typing import Any

from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import CRONJOBS
from support.controller import Controller
from support.functions import manifest
from support.triggers import trigger_manifest
from support.waiting import wait_for

Object = dict[str, Any]

CALLED = ("red", "green", "blue")


def difference(client: Client, namespace: str) -> str:
    """The first thing that is not as the triggers say; '' when all is."""
    functions = {item["metadata"]["name"] for item in client.list(FUNCTIONS, namespace)["items"]}
    live: dict[str, list[Object]] = {}
    for item in client.list(CRONJOBS, namespace)["items"]:
        live.setdefault(item["metadata"]["ownerReferences"][0]["uid"], []).append(item)
    for trigger in client.list(CRONJOB_TRIGGERS, namespace)["items"]:
        name, spec = trigger["metadata"]["name"], trigger["spec"]
        own = live.pop(trigger["metadata"]["uid"], [])
        wanted = 1 if spec["function-name"] in functions else 0
        if len(own) != wanted:
            return f"{name} has {len(own)} CronJobs, not {wanted}"
        for cron_job in own:
            if cron_job["spec"]["schedule"] != spec["schedule"]:
                return f"{name} has the schedule {cron_job['spec']['schedule']}"
            if not cron_job["metadata"]["name"].startswith(f"trigger-{spec['function-name']}"):
                return f"{name} has the CronJob {cron_job['metadata']['name']}"
            said = (trigger.get("status") or {}).get("cronJob")
            if said != cron_job["metadata"]["name"]:
                return f"{name} says {said}"
    return f"CronJobs of {sorted(live)} belong to nothing" if live else ""


def test_kill_9_at_any_moment_of_60_changes(
    client: Client, namespace: str, controller_process: Controller
) -> None:
    chance = random.Random(11)
    controller_process.start()
    for name in CALLED:
        client.create(FUNCTIONS, manifest(namespace, name))
    for step in range(60):
        name = f"t{chance.randrange(8)}"
        try:
            if chance.random() < 0.25:
                client.delete(CRONJOB_TRIGGERS, namespace, name)
            elif chance.random() < 0.1:
                client.delete(FUNCTIONS, namespace, chance.choice(CALLED))
            else:
                wanted = trigger_manifest(
                    namespace,
                    name,
                    function=chance.choice(CALLED),
                    schedule=f"{step % 60} 0 1 1 *",
                    payload=chance.choice([None, {"step": step}]),
                )
                client.apply(CRONJOB_TRIGGERS, wanted, manager="user")
                client.apply(FUNCTIONS, manifest(namespace, chance.choice(CALLED)), manager="user")
        except NotFound:
            continue
        if step % 6 == 2:
            time.sleep(chance.uniform(0, 0.15))
            assert controller_process.process is not None
            controller_process.process.kill()
            controller_process.start()
    try:
        wait_for(lambda: not difference(client, namespace), "the world is exact", 60)
    except AssertionError:
        raise AssertionError(difference(client, namespace) or "exact, but late") from None
