"""The CronJob that calls a function on a schedule, and what its pods get.

The pods run one small program, ``kubeless_call`` of the Python runtime image,
without a shell. What it calls, and with what, is data: environment, and a file
for the payload. The pods never carry the labels by which a function's Service
finds its own: they would be called instead of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kubeless_api import names
from kubeless_api.cronjob_trigger import CronJobTrigger
from kubeless_api.function import Function
from kubeless_controller.desired import payload, service
from kubeless_controller.desired.deployment import seconds
from kubeless_controller.desired.hardened import container_security, pod_security
from kubeless_controller.desired.owned import metadata, stamped
from kubeless_controller.settings import Settings

Object = dict[str, Any]

COMMAND = ("/usr/bin/python3", "-I", "-S", "/opt/kubeless/server/kubeless_call")
CONTAINER = "trigger"
PAYLOAD_VOLUME = "payload"
PAYLOAD_FOLDER = "/payload"
EVENT_NAMESPACE = "cronjobtrigger.kubeless.io"
EVENT_TYPE = "application/json"
CLOUD_EVENT_TYPE = "io.kubeless.cronjobtrigger.fired"
# Labels that the Job controller gives the pods of a Job.
JOB_NAME_LABEL = "batch.kubernetes.io/job-name"
JOB_UID_LABEL = "batch.kubernetes.io/controller-uid"
# Time for a function's own answer that its time is up to arrive, before the caller gives up.
ANSWER_MARGIN_SECONDS = 5
# A pod may have to wait for a node and its image before it calls.
START_MARGIN_SECONDS = 120
# Between two attempts the Job controller waits 10 s, then twice as long each time, at most ten minutes.
_FIRST_BACKOFF_SECONDS = 10
_LONGEST_BACKOFF_SECONDS = 600
RESOURCES: Object = {
    "requests": {"cpu": "10m", "memory": "16Mi"},
    "limits": {"memory": "64Mi"},
}


@dataclass(frozen=True)
class Callee:
    """What is called: its address, and how many seconds it may take."""

    url: str
    timeout: float


def callee_of(function: Function) -> Callee:
    """How a Function is called. Raises SpecError."""
    return Callee(service.url_of(function, service.ports_of(function)), function.timeout)


def build(
    trigger: CronJobTrigger, callee: Callee, name: str, config_map: str, settings: Settings
) -> Object:
    """Build the CronJob of this name; ``config_map`` has the payload, and is '' when there is none."""
    spec: Object = {
        "schedule": trigger.schedule,
        "suspend": trigger.suspend,
        "concurrencyPolicy": trigger.concurrency_policy,
        "successfulJobsHistoryLimit": trigger.successful_history,
        "failedJobsHistoryLimit": trigger.failed_history,
        "jobTemplate": {
            "metadata": _marks(trigger),
            "spec": _job(trigger, callee, name, config_map, settings),
        },
    }
    if trigger.time_zone:
        spec["timeZone"] = trigger.time_zone
    if trigger.starting_deadline:
        spec["startingDeadlineSeconds"] = trigger.starting_deadline
    labels = {
        names.LABEL_CREATED_BY: names.CREATED_BY,
        names.LABEL_TRIGGER: names.CRONJOB_TRIGGER,
    }
    return stamped(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata(trigger, name, labels),
            "spec": spec,
        }
    )


def _marks(trigger: CronJobTrigger) -> Object:
    """By what Jobs and pods are known: whose they are, and never `created-by` beside `function`."""
    return {
        "labels": {names.LABEL_TRIGGER: names.CRONJOB_TRIGGER},
        "annotations": {names.ANNOTATION_TRIGGER: trigger.name},
    }


def _job(
    trigger: CronJobTrigger,
    callee: Callee,
    name: str,
    config_map: str,
    settings: Settings,
) -> Object:
    attempt = math.ceil(callee.timeout) + ANSWER_MARGIN_SECONDS + START_MARGIN_SECONDS
    backoffs = sum(
        min(_FIRST_BACKOFF_SECONDS * 2**number, _LONGEST_BACKOFF_SECONDS)
        for number in range(trigger.backoff_limit)
    )
    return {
        "backoffLimit": trigger.backoff_limit,
        # A call that can never be made must not keep the next ones from being made.
        "activeDeadlineSeconds": (trigger.backoff_limit + 1) * attempt + backoffs,
        "template": {
            "metadata": _marks(trigger),
            "spec": _pod(trigger, callee, name, config_map, attempt, settings),
        },
    }


def _pod(
    trigger: CronJobTrigger,
    callee: Callee,
    name: str,
    config_map: str,
    attempt: int,
    settings: Settings,
) -> Object:
    container: Object = {
        "name": CONTAINER,
        "image": settings.prepare_image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": list(COMMAND),
        "env": _environment(trigger, callee, name, config_map),
        "resources": RESOURCES,
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    pod: Object = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": attempt,
        # A call that is not wanted any more need not be waited for.
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "containers": [container],
    }
    if settings.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": secret} for secret in settings.image_pull_secrets]
    if config_map:
        container["volumeMounts"] = [
            {"name": PAYLOAD_VOLUME, "mountPath": PAYLOAD_FOLDER, "readOnly": True}
        ]
        pod["volumes"] = [{"name": PAYLOAD_VOLUME, "configMap": {"name": config_map}}]
    return pod


def _environment(
    trigger: CronJobTrigger, callee: Callee, name: str, config_map: str
) -> list[Object]:
    source = (
        f"/apis/{names.API_VERSION}/namespaces/{trigger.namespace}"
        f"/{names.CRONJOB_TRIGGER_PLURAL}/{trigger.name}"
    )
    headers = {
        "event-type": EVENT_TYPE,
        "event-namespace": EVENT_NAMESPACE,
        "ce-specversion": "1.0",
        "ce-type": CLOUD_EVENT_TYPE,
        "ce-source": source,
    }
    values = {
        "KUBELESS_CRONJOB": name,
        "KUBELESS_HEADERS": "\n".join(f"{key}: {value}" for key, value in headers.items()),
        "KUBELESS_TIMEOUT": seconds(callee.timeout + ANSWER_MARGIN_SECONDS),
        "KUBELESS_URL": callee.url,
    }
    if config_map:
        values["KUBELESS_PAYLOAD"] = f"{PAYLOAD_FOLDER}/{payload.FILE}"
    labels = {"KUBELESS_JOB_NAME": JOB_NAME_LABEL, "KUBELESS_JOB_UID": JOB_UID_LABEL}
    return [
        *({"name": key, "value": value} for key, value in sorted(values.items())),
        *(
            {
                "name": key,
                "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{label}']"}},
            }
            for key, label in labels.items()
        ),
    ]
