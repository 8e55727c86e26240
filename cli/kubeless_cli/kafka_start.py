"""Starting the admin pod: it runs, or a sentence says why it does not."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any

from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.kafka_pod import CONTAINER, LABEL_ADMIN, Target, pod
from kubeless_cli.podlogs import container_state

Object = dict[str, Any]

START_SECONDS = 90.0
PAUSE_SECONDS = 0.2
# How long a volume may take before events are asked why.
MOUNT_SECONDS = 3.0
# Nothing but a change of something else ends these.
_FINAL = re.compile(
    r"ImagePullBackOff|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|"
    r"CreateContainerError|RunContainerError|Unschedulable"
)


def create(connection: Connection, target: Target) -> Object:
    """Make the pod; returns it. Raises Failure where that is not allowed or not possible."""
    from kubeless_kube.errors import Forbidden, NotFound
    from kubeless_kube.resources import PODS

    try:
        return connection.client.create(PODS, pod(target))
    except Forbidden as error:
        raise refused(str(error.message), target.namespace) from None
    except NotFound:
        raise Failure(
            f"There is no namespace '{target.namespace}', where a pod would talk to Kafka.\n"
            "--kafka-namespace names the namespace of the installation."
        ) from None


def sweep(connection: Connection, namespace: str) -> None:
    """Delete the pods of commands that were killed, once they ended; where that may be done."""
    from kubeless_kube.errors import ApiError
    from kubeless_kube.resources import PODS

    with suppress(ApiError):
        listed = connection.client.list(PODS, namespace, labels=f"{LABEL_ADMIN}=true")
        for seen in listed["items"]:
            if (seen.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                metadata = seen["metadata"]
                connection.client.delete(PODS, namespace, metadata["name"], uid=metadata["uid"])


def refused(message: str, namespace: str) -> Failure:
    """The failure for what the cluster does not let this user do, or does not take."""
    said = message.replace('"', "'").rstrip(".")
    if not re.search(r"User '.*' cannot ", said):
        return Failure(
            f"The cluster refused the pod that would talk to Kafka in namespace '{namespace}': {said}."
        )
    return Failure(
        f"Not allowed: {said}.\n"
        "What is asked of Kafka is done by a pod. In that namespace you need the rights 'create', 'get' and "
        "'delete' on pods, and 'get' and 'create' on pods/attach; in the namespace of the installation the Role "
        "kubeless-kafka-admin has them. Ask whoever runs the cluster."
    )


def until_running(connection: Connection, created: Object) -> None:
    """Wait until the pod runs. Raises Failure with the reason when it does not."""
    from kubeless_kube.errors import NotFound
    from kubeless_kube.resources import PODS

    namespace, name = created["metadata"]["namespace"], created["metadata"]["name"]
    began = time.monotonic()
    while True:
        try:
            seen = connection.client.get(PODS, namespace, name)
        except NotFound:
            raise Failure(
                f"Pod {name} in namespace '{namespace}' was deleted before it ran."
            ) from None
        status, waited = seen.get("status") or {}, time.monotonic() - began
        if status.get("phase") == "Running":
            return
        state = container_state(seen, CONTAINER) or str(status.get("phase"))
        if status.get("phase") in ("Failed", "Succeeded"):
            detail = status.get("message") or status.get("reason") or _ended(status)
            raise _not_started(name, namespace, detail)
        if _FINAL.search(state):
            raise _not_started(name, namespace, state)
        if waited > MOUNT_SECONDS and (problem := _mount_problem(connection, seen)):
            raise _not_started(name, namespace, problem)
        if waited > START_SECONDS:
            raise _not_started(name, namespace, f"after {START_SECONDS:.0f} s still {state}")
        time.sleep(PAUSE_SECONDS)


def _mount_problem(connection: Connection, seen: Object) -> str:
    """What events say of volumes that can't be mounted; "" when nothing, or nobody may look."""
    from kubeless_kube.errors import ApiError
    from kubeless_kube.resources import EVENTS

    metadata = seen["metadata"]
    fields = f"involvedObject.name={metadata['name']},reason=FailedMount"
    try:
        events = connection.client.list(EVENTS, metadata["namespace"], fields=fields)["items"]
    except ApiError:
        return ""
    messages = [str(event.get("message") or "") for event in events]
    missing = next((m for m in messages if "not found" in m), "")
    found = re.search(r'secret "([^"]+)" not found', missing)
    if found:
        return (
            f"there is no Secret '{found[1]}' in namespace '{metadata['namespace']}', which has the "
            "credentials for Kafka"
        )
    return missing


def _ended(status: Object) -> str:
    for item in status.get("containerStatuses") or []:
        ended = (item.get("state") or {}).get("terminated")
        if ended:
            said = ended.get("message") or ended.get("reason") or ""
            return f"it ended with exit code {ended.get('exitCode')}: {said}"
    return "it ended at once"


def _not_started(name: str, namespace: str, why: str) -> Failure:
    return Failure(
        f"The pod that would talk to Kafka, {name} in namespace '{namespace}', did not start: {why.strip().rstrip('.')}."
    )
