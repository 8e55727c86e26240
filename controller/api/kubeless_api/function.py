"""A Function as its user wrote it, parsed and checked.

The API server has checked the schema already, yet an object may be older than
the schema, and ``deployment``, ``service`` and ``horizontalPodAutoscaler``
have none: everything is checked here too, and every error is a SpecError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kubeless_api import fields, kafka_topic, names
from kubeless_api import schedule as schedules
from kubeless_api.conditions import INVALID_HANDLER, INVALID_SPEC
from kubeless_api.errors import SpecError
from kubeless_api.source import ContentType, parse_content_type

DEFAULT_TIMEOUT = 180.0
DEFAULT_REPLICAS = 1
# What calls a function by itself, as spec.type has it: nothing, its schedule, or the records of its topic.
HTTP = "HTTP"
SCHEDULED = "Scheduled"
PUB_SUB = "PubSub"
_HANDLER = re.compile(r"(?P<module>[-_A-Za-z0-9]+)\.(?P<function>[^./\s]+)")
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Handler:
    """``module`` is the file without its suffix, ``function`` what it defines."""

    module: str
    function: str


@dataclass(frozen=True)
class Function:
    """One Function; fields that are not set have their defaults or are empty.

    ``timeout`` is in seconds. ``deployment``, ``service`` and ``autoscaler``
    are the user's objects without their unset fields. ``handler`` is None
    only for an image of the user's own. ``schedule`` is empty unless the type is Scheduled, ``topic`` unless it is PubSub.
    """

    kind: ClassVar[str] = names.FUNCTION_KIND

    namespace: str
    name: str
    uid: str
    generation: int
    labels: Mapping[str, str]
    runtime: str
    handler: Handler | None
    source: str
    content_type: ContentType
    checksum: str
    timeout: float
    deps: str
    dependencies: Mapping[str, Any]
    replicas: int
    concurrency: int
    env: tuple[Mapping[str, Any], ...]
    secrets: tuple[str, ...]
    resources: Mapping[str, Any]
    image: str
    image_pull_secrets: tuple[str, ...]
    service_account: str
    deployment: Mapping[str, Any]
    service: Mapping[str, Any]
    autoscaler: Mapping[str, Any]
    schedule: str
    topic: str


def parse(obj: Mapping[str, Any]) -> Function:
    """Parse a Function object of the API server. Raises SpecError."""
    metadata = obj["metadata"]
    spec = fields.mapping(obj, "spec", "")
    deployment = fields.without_unset(fields.mapping(spec, "deployment", "spec"))
    image = _image(spec, deployment)
    source = fields.text(spec, "function", "spec")
    handler = fields.text(spec, "handler", "spec")
    if not image and not source:
        raise SpecError(
            INVALID_SPEC,
            "spec.function: found nothing to run; put the source there, or name an image that has it "
            "in spec.image",
        )
    runtime = fields.text(spec, "runtime", "spec")
    if not image and not runtime:
        raise fields.wrong("spec.runtime", None, "the id of a runtime, like python3.13")
    return Function(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        labels=fields.strings(metadata, "labels", "metadata"),
        runtime=runtime,
        handler=parse_handler(handler) if handler or not image else None,
        source=source,
        content_type=parse_content_type(fields.text(spec, "function-content-type", "spec")),
        checksum=fields.text(spec, "checksum", "spec"),
        timeout=parse_timeout(spec.get("timeout")),
        deps=fields.text(spec, "deps", "spec"),
        dependencies=fields.without_unset(fields.mapping(spec, "dependencies", "spec")),
        replicas=_or_default(fields.number(spec, "replicas", "spec"), DEFAULT_REPLICAS),
        concurrency=_or_default(fields.number(spec, "concurrency", "spec"), 0),
        env=tuple(fields.without_unset(fields.objects(spec, "env", "spec"))),
        secrets=_names(fields.items(spec, "secrets", "spec"), "spec.secrets"),
        resources={
            kind: quantities
            for kind, quantities in fields.mapping(spec, "resources", "spec").items()
            if quantities
        },
        image=image,
        image_pull_secrets=_names(
            [item.get("name") for item in fields.objects(spec, "imagePullSecrets", "spec")],
            "spec.imagePullSecrets",
        ),
        service_account=fields.text(spec, "serviceAccountName", "spec"),
        deployment=deployment,
        service=fields.without_unset(fields.mapping(spec, "service", "spec")),
        autoscaler=_autoscaler(spec),
        schedule=_schedule(spec),
        topic=_topic(spec),
    )


def parse_handler(value: str) -> Handler:
    """Read ``<module>.<function>``. Raises SpecError."""
    match = _HANDLER.fullmatch(value)
    if match is None:
        raise SpecError(
            INVALID_HANDLER,
            f"spec.handler: found {value!r}, expected '<module>.<function>' with exactly one dot, "
            "like 'hello.handler'",
        )
    return Handler(match["module"], match["function"])


def parse_timeout(value: Any) -> float:
    """Read spec.timeout: a number or a string of seconds. Raises SpecError."""
    if value is None or value == "":
        return DEFAULT_TIMEOUT
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        seconds = 0.0
    elif isinstance(value, str):
        seconds = float(value) if _SECONDS.fullmatch(value) else 0.0
    else:
        seconds = float(value)
    if seconds <= 0:
        raise fields.wrong("spec.timeout", value, "a positive number of seconds, like 30 or '2.5'")
    return seconds


def _schedule(spec: Mapping[str, Any]) -> str:
    """When the function is called by itself; '' when it is not. Raises SpecError."""
    kind = fields.text(spec, "type", "spec") or HTTP
    schedule = fields.text(spec, "schedule", "spec")
    if kind not in (HTTP, SCHEDULED, PUB_SUB):
        raise fields.wrong("spec.type", kind, "HTTP, Scheduled or PubSub")
    if schedule and kind != SCHEDULED:
        raise SpecError(
            INVALID_SPEC,
            f"spec.schedule: found {schedule!r} although spec.type is {kind}; write 'type: Scheduled', or take the "
            "schedule out",
        )
    return schedules.check(schedule) if kind == SCHEDULED else ""


def _topic(spec: Mapping[str, Any]) -> str:
    """The topic whose records call the function; '' when none do. Raises SpecError."""
    topic = fields.text(spec, "topic", "spec")
    if spec.get("type") == PUB_SUB:
        return kafka_topic.check(topic, "spec.topic")
    if topic:
        raise SpecError(
            INVALID_SPEC,
            f"spec.topic: found {topic!r} although spec.type is {spec.get('type') or HTTP}; write 'type: PubSub', or take "
            "the topic out",
        )
    return ""


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value


def _names(values: list[Any], path: str) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise fields.wrong(f"{path}[{index}]", value, "a name")
    return tuple(dict.fromkeys(values))


def pod_spec(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The pod's part of a user's ``spec.deployment``; {} when it is not set. Raises SpecError."""
    spec = fields.mapping(deployment, "spec", "spec.deployment")
    template = fields.mapping(spec, "template", "spec.deployment.spec")
    return fields.mapping(template, "spec", "spec.deployment.spec.template")


def _image(spec: Mapping[str, Any], deployment: Mapping[str, Any]) -> str:
    """The user's own image: spec.image, or as the original had it the first container's."""
    image = fields.text(spec, "image", "spec")
    if image:
        return image
    pod = pod_spec(deployment)
    containers = fields.objects(pod, "containers", "spec.deployment.spec.template.spec")
    if not containers:
        return ""
    return fields.text(containers[0], "image", "spec.deployment.spec.template.spec.containers[0]")


def _autoscaler(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user's HorizontalPodAutoscaler; {} unless its name and its target's are set."""
    path = "spec.horizontalPodAutoscaler"
    autoscaler: dict[str, Any] = fields.without_unset(
        fields.mapping(spec, "horizontalPodAutoscaler", "spec")
    )
    name = fields.text(fields.mapping(autoscaler, "metadata", path), "name", f"{path}.metadata")
    target = fields.mapping(
        fields.mapping(autoscaler, "spec", path), "scaleTargetRef", f"{path}.spec"
    )
    return autoscaler if name and target.get("name") else {}
