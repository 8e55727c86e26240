"""The Function object that a command line asks for: pure, no cluster.

`build` makes the whole manifest of a deploy; `change` gives the spec and labels of an update.

Where a flag goes: the Function's own fields (spec.env, spec.resources, spec.secrets,
spec.serviceAccountName, spec.image) rather than the places the original's command line used inside
spec.deployment. They are short, they have a schema that refuses mistakes with a message, and lists
by name merge entry by entry under server-side apply. Only what the Function has no field for
(node selectors, the pull policy) goes into spec.deployment. A function that still has a value in
the old place loses it there when an update sets the new one, or the old would win.
"""

from __future__ import annotations

import copy
from typing import Any

from kubeless_api.function import SCHEDULED
from kubeless_api.names import API_VERSION, DEFAULT_PORT, FUNCTION_KIND, PORT_NAME, selector_labels
from kubeless_cli.fields import add_labels, put
from kubeless_cli.flags import Wish
from kubeless_cli.source import Source

Object = dict[str, Any]


def build(
    name: str, namespace: str | None, wish: Wish, source: Source | None, deps: str | None
) -> Object:
    """The manifest for `deploy`: what the flags say and nothing else, no zero values."""
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    function: Object = {
        "apiVersion": API_VERSION,
        "kind": FUNCTION_KIND,
        "metadata": metadata | {"labels": selector_labels(name)},
        "spec": {},
    }
    return change(function, wish, source, deps)


def change(function: Object, wish: Wish, source: Source | None, deps: str | None) -> Object:
    """A copy of `function` with what the flags say changed. Emptied fields are left out.

    As in the original: --label and --secrets add to what is there, --env and --node-selectors
    replace it. An empty value takes everything away.
    """
    function = copy.deepcopy(function)
    metadata: Object = function["metadata"]
    spec: Object = function.setdefault("spec", {})
    add_labels(metadata, wish.label, selector_labels(metadata["name"]))
    put(spec, "runtime", wish.runtime)
    put(spec, "handler", wish.handler)
    _source(spec, wish, source, deps)
    put(spec, "timeout", wish.timeout)
    _schedule(spec, wish)
    put(spec, "image", wish.runtime_image)
    put(spec, "serviceAccountName", wish.service_account)
    if wish.env is not None:
        put(spec, "env", [{"name": key, "value": value} for key, value in wish.env.items()])
    if wish.secrets is not None:
        present = spec.get("secrets") or [] if wish.secrets else []
        put(spec, "secrets", list(dict.fromkeys([*present, *wish.secrets])))
    _resources(spec, wish)
    _service(spec, wish)
    _deployment(spec, wish)
    return function


def main_container(spec: Object) -> Object:
    """What spec.deployment says of the function's container, which is the first one."""
    containers = _dig(spec, "deployment", "spec", "template", "spec").get("containers") or [{}]
    return containers[0] or {}


def pod_spec(spec: Object) -> Object:
    """What spec.deployment says of the function's pods."""
    return _dig(spec, "deployment", "spec", "template", "spec")


def _schedule(spec: Object, wish: Wish) -> None:
    if wish.schedule:
        spec["type"] = SCHEDULED
        spec["schedule"] = wish.schedule
    elif wish.schedule == "":
        spec.pop("schedule", None)
        if spec.get("type") == SCHEDULED:
            del spec["type"]


def _source(spec: Object, wish: Wish, source: Source | None, deps: str | None) -> None:
    if source is not None:
        spec["function-content-type"] = source.content_type
        spec["function"] = source.content
        put(spec, "checksum", "" if wish.checksum == "none" else wish.checksum or source.checksum)
    elif wish.checksum is not None:
        put(spec, "checksum", "" if wish.checksum == "none" else wish.checksum)
    put(spec, "deps", deps)


def _resources(spec: Object, wish: Wish) -> None:
    asked = {"memory": wish.memory, "cpu": wish.cpu}
    if all(value is None for value in asked.values()):
        return
    # Amounts that stand in the old place move along, so that changing one keeps the other.
    present = spec.get("resources") or main_container(spec).get("resources") or {}
    resources = copy.deepcopy(present)
    for kind in ("requests", "limits"):
        amounts = dict(resources.get(kind) or {})
        for resource, amount in asked.items():
            if amount:
                amounts[resource] = amount
            elif amount == "":
                amounts.pop(resource, None)
        put(
            resources, kind, {key: value for key, value in amounts.items() if value not in ("0", 0)}
        )
    put(spec, "resources", resources)


def _service(spec: Object, wish: Wish) -> None:
    if wish.port is None and wish.service_port is None and wish.headless is None:
        return
    service = dict(spec.get("service") or {})
    ports = list(service.get("ports") or [{}])
    target = wish.port or ports[0].get("targetPort") or DEFAULT_PORT
    # As ever: without --servicePort, the Service's port is the function's.
    port = wish.service_port or (wish.port or ports[0].get("port") or DEFAULT_PORT)
    first = {"name": PORT_NAME, "port": port, "targetPort": target, "protocol": "TCP"}
    ports[0] = {**ports[0], **first}
    service["ports"] = ports
    if wish.headless is not None:
        put(service, "clusterIP", "None" if wish.headless else "")
    spec["service"] = service


def _deployment(spec: Object, wish: Wish) -> None:
    resources = wish.memory if wish.memory is not None else wish.cpu
    asked = (wish.node_selectors, wish.image_pull_policy, wish.env, wish.runtime_image)
    if all(value is None for value in (*asked, wish.service_account, resources)):
        return
    deployment = copy.deepcopy(spec.get("deployment") or {})
    pod = _open(deployment, "spec", "template", "spec")
    containers = pod["containers"] = list(pod.get("containers") or [{}])
    container = containers[0] = dict(containers[0] or {})

    if wish.node_selectors is not None:
        put(pod, "nodeSelector", dict(wish.node_selectors))
    put(container, "imagePullPolicy", wish.image_pull_policy)
    # The old places of what has a field of its own now.
    for given, place, key in (
        (wish.env, container, "env"),
        (wish.runtime_image, container, "image"),
        (resources, container, "resources"),
        (wish.service_account, pod, "serviceAccountName"),
        (wish.service_account, pod, "serviceAccount"),
    ):
        if given is not None:
            place.pop(key, None)

    if len(containers) == 1 and not _says_something(container):
        del pod["containers"]
    put(spec, "deployment", deployment if _says_something(deployment) else {})


def _dig(place: Object, *keys: str) -> Object:
    for key in keys:
        place = place.get(key) or {}
    return place


def _open(place: Object, *keys: str) -> Object:
    """The object at a path, made where it is missing or null."""
    for key in keys:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
    return place


def _says_something(value: Any) -> bool:
    """Whether there is anything in it but nulls and empty strings, lists and objects.

    What users name themselves (a node's labels) counts even with an empty value.
    """
    if isinstance(value, dict):
        return any(
            bool(item) if key == "nodeSelector" else _says_something(item)
            for key, item in value.items()
        )
    if isinstance(value, list):
        return any(_says_something(item) for item in value)
    return value not in (None, "")
