"""CronJobTriggers as tests write them, and Jobs as a CronJob's controller makes them."""

from __future__ import annotations

from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import CRONJOBS, JOBS, PODS
from support.waiting import wait_for

Object = dict[str, Any]

# The 1st of January: never while a test runs, or once.
YEARLY = "0 0 1 1 *"


def trigger_manifest(
    namespace: str, name: str = "tick", *, function: str = "hello", **spec: Any
) -> Object:
    """A CronJobTrigger with the fields that the test is about."""
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "CronJobTrigger",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"function-name": function, "schedule": YEARLY, **spec},
    }


def fire(client: Client, namespace: str, cron_job: str, name: str) -> Object:
    """Make a Job of a CronJob, as its controller does, or `kubectl create job --from`."""
    live = client.get(CRONJOBS, namespace, cron_job)
    template = live["spec"]["jobTemplate"]
    metadata = {
        **template["metadata"],
        "name": name,
        "namespace": namespace,
        "ownerReferences": [
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": cron_job,
                "uid": live["metadata"]["uid"],
                "controller": True,
            }
        ],
    }
    return client.create(JOBS, {"metadata": metadata, "spec": template["spec"]})


def end_pod(client: Client, namespace: str, job: str, code: int, message: str = "") -> None:
    """Have the pod of a Job end, where no kubelet runs it."""

    def running() -> list[Object]:
        found = client.list(PODS, namespace, labels=f"batch.kubernetes.io/job-name={job}")["items"]
        return [pod for pod in found if pod["status"]["phase"] == "Pending"]

    (pod,) = wait_for(running, f"the Job {job} has a pod")
    ended = {"exitCode": code, "message": message, "reason": "Error" if code else "Completed"}
    status = {
        "phase": "Failed" if code else "Succeeded",
        "containerStatuses": [
            {
                "name": "trigger",
                "image": "x",
                "imageID": "x",
                "ready": False,
                "restartCount": 0,
                "state": {"terminated": ended},
            }
        ],
    }
    client.patch(PODS, namespace, pod["metadata"]["name"], {"status": status}, subresource="status")
