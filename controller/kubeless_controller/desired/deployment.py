"""The Deployment that runs a function.

Ours first, hardened so that it runs under PodSecurity ``restricted``; then
the user's ``spec.deployment`` laid over it. ``spec.replicas`` is not in it:
who scales (the Function, an autoscaler, a person) does so beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from typing import Any

from kubeless_api import fields, names
from kubeless_api.conditions import INVALID_SPEC
from kubeless_api.errors import SpecError
from kubeless_api.function import Function, pod_spec
from kubeless_api.runtimes import Runtime
from kubeless_controller.desired import init
from kubeless_controller.desired.hardened import container_security, pod_security
from kubeless_controller.desired.merge import merged, merged_container, merged_list
from kubeless_controller.desired.owned import digest, labels, metadata, stamped
from kubeless_controller.desired.service import PORT, Ports
from kubeless_controller.desired.source import Source
from kubeless_controller.settings import Settings

Object = dict[str, Any]

SOURCE_FOLDER = "/kubeless"
SOURCE_VOLUME = "source"
# Filled by init containers, where there are any.
PREPARED_VOLUME = "kubeless"
TMP_FOLDER = "/tmp"  # noqa: S108 - a volume of the pod's own
# A secret is mounted at /<its name>; over one of these nothing would run.
TAKEN_FOLDERS = frozenset(
    {"bin", "boot", "dev", "etc", "home", "kubeless", "lib", "lib64", "opt", "proc", "root", "run"}
    | {"sbin", "source", "srv", "sys", "tmp", "usr", "var"}
)
# Old ReplicaSets keep their ConfigMaps: enough to look back, few enough for thousands of functions.
REVISION_HISTORY_LIMIT = 3
# Sources are limited when they are unpacked; this is for what dependencies bring.
PREPARED_SIZE_LIMIT = "2Gi"
TMP_SIZE_LIMIT = "512Mi"
# Time for the last answer to leave after the drain and the slowest call.
GRACE_MARGIN_SECONDS = 5

_PATH = "spec.deployment"
_POD_PATH = f"{_PATH}.spec.template.spec"
_CONTAINER_PATH = f"{_POD_PATH}.containers[0]"


def build(
    function: Function,
    runtime: Runtime | None,
    source: Source | None,
    ports: Ports,
    settings: Settings,
) -> Object:
    """Build the Deployment; without ``runtime`` and ``source`` it runs the user's own image.

    Raises SpecError for a ``spec.deployment`` that cannot be laid over ours.
    """
    given = fields.mapping(function.deployment, "spec", _PATH)
    template = fields.mapping(given, "template", f"{_PATH}.spec")
    given_metadata = fields.mapping(function.deployment, "metadata", _PATH)
    template_metadata = fields.mapping(template, "metadata", f"{_PATH}.spec.template")
    own = metadata(
        function,
        function.name,
        {**fields.strings(given_metadata, "labels", f"{_PATH}.metadata"), **labels(function)},
        annotations=fields.strings(given_metadata, "annotations", f"{_PATH}.metadata"),
    )
    ours = ("selector", "template", "replicas")
    spec = {key: value for key, value in given.items() if key not in ours and value != {}}
    spec.setdefault("revisionHistoryLimit", REVISION_HISTORY_LIMIT)
    spec["selector"] = {"matchLabels": names.selector_labels(function.name)}
    template_path = f"{_PATH}.spec.template.metadata"
    spec["template"] = {
        "metadata": {
            "labels": {
                **fields.strings(template_metadata, "labels", template_path),
                **labels(function),
            },
            "annotations": fields.strings(template_metadata, "annotations", template_path),
        },
        "spec": _pod(function, runtime, source, ports, settings),
    }
    return stamped({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": own, "spec": spec})


def wanted_replicas(function: Function) -> int:
    """The replicas that the Function asks for: spec.deployment's, else its own."""
    explicit = explicit_replicas(function)
    return function.replicas if explicit is None else explicit


def explicit_replicas(function: Function) -> int | None:
    """The replicas in spec.deployment; None when there are none."""
    given = fields.mapping(function.deployment, "spec", _PATH)
    return fields.number(given, "replicas", f"{_PATH}.spec")


def _pod(
    function: Function,
    runtime: Runtime | None,
    source: Source | None,
    ports: Ports,
    settings: Settings,
) -> Object:
    given = pod_spec(function.deployment)
    first, *sidecars = fields.objects(given, "containers", _POD_PATH) or [{}]
    account = function.service_account or fields.text(given, "serviceAccountName", _POD_PATH)
    pull_secrets = [*settings.image_pull_secrets, *function.image_pull_secrets]
    base: Object = {
        # Neither a token nor the namespace's Services are the function's business; both also delay its start.
        "automountServiceAccountToken": bool(account),
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "terminationGracePeriodSeconds": math.ceil(function.timeout)
        + settings.drain_seconds
        + GRACE_MARGIN_SECONDS,
    }
    if account:
        base["serviceAccountName"] = account
    if pull_secrets:
        base["imagePullSecrets"] = [{"name": name} for name in dict.fromkeys(pull_secrets)]
    lists = ("containers", "initContainers", "volumes", "imagePullSecrets")
    pod = merged(base, {key: value for key, value in given.items() if key not in lists})
    for whole in ("securityContext", "affinity"):
        if given.get(whole):
            pod[whole] = given[whole]
    pod["imagePullSecrets"] = merged_list(
        pod.get("imagePullSecrets", []),
        fields.objects(given, "imagePullSecrets", _POD_PATH),
        ["name"],
        f"{_POD_PATH}.imagePullSecrets",
    )
    if not pod["imagePullSecrets"]:
        del pod["imagePullSecrets"]
    pod["volumes"] = merged_list(
        _volumes(function, source, settings),
        fields.objects(given, "volumes", _POD_PATH),
        ["name"],
        f"{_POD_PATH}.volumes",
    )
    container = _container(function, runtime, source, ports, settings)
    pod["containers"] = [
        _laid_over(container, first, function),
        *(_sidecar(sidecar, index, function) for index, sidecar in enumerate(sidecars, start=1)),
    ]
    theirs = fields.objects(given, "initContainers", _POD_PATH)
    ours: list[Object] = []
    if runtime is not None and source is not None:
        base = {
            "env": container["env"],
            "securityContext": container["securityContext"],
            "volumeMounts": [
                {"name": PREPARED_VOLUME, "mountPath": SOURCE_FOLDER},
                {"name": "tmp", "mountPath": TMP_FOLDER},
            ],
            # The first one's resources are those of all that are made here, as the original had it.
            "resources": fields.mapping(
                theirs[0] if theirs else {}, "resources", f"{_POD_PATH}.initContainers[0]"
            ),
        }
        ours = init.containers(function, runtime, source, settings, base)
    made = [
        *ours,
        *(entry for entry in theirs if entry.get("name") and entry.get("image")),
    ]
    if made:
        pod["initContainers"] = made
    return pod


def _container(
    function: Function,
    runtime: Runtime | None,
    source: Source | None,
    ports: Ports,
    settings: Settings,
) -> Object:
    mounts: list[Object] = [{"name": "tmp", "mountPath": TMP_FOLDER}]
    if source is not None:
        volume = PREPARED_VOLUME if source.prepared else SOURCE_VOLUME
        mounts.insert(0, {"name": volume, "mountPath": SOURCE_FOLDER, "readOnly": True})
    for secret in function.secrets:
        if secret in TAKEN_FOLDERS:
            raise SpecError(
                INVALID_SPEC,
                f"spec.secrets: found {secret!r}, which would be mounted over /{secret} of the image; "
                "give the Secret another name",
            )
        mounts.append({"name": _secret_volume(secret), "mountPath": f"/{secret}", "readOnly": True})
    health = {"path": "/healthz", "port": ports.container}
    container: Object = {
        "name": function.name,
        "image": function.image or (runtime.image if runtime else ""),
        "imagePullPolicy": settings.image_pull_policy,
        "env": merged_list(
            [dict(entry) for entry in function.env],
            _environment(function, runtime, ports, settings),
            ["name"],
        ),
        "ports": [
            {
                "name": PORT,
                "containerPort": ports.container,
                "protocol": "TCP",
            }
        ],
        "volumeMounts": mounts,
        # Every second: what a caller of a new function waits for, more than for anything else.
        "readinessProbe": {"httpGet": health, "periodSeconds": 1, "failureThreshold": 3},
        # Not /healthz: a server that drains is unready, and yet alive.
        "livenessProbe": {
            "tcpSocket": {"port": ports.container},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "securityContext": container_security(),
        # What a crash printed last becomes part of the pod's status, and of the Function's.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if source is None:
        # An image of the user's own may listen only when it is ready; ours listen first, and load then.
        container["startupProbe"] = {"httpGet": health, "periodSeconds": 1, "failureThreshold": 300}
    if function.resources:
        container["resources"] = dict(function.resources)
    return container


def _environment(
    function: Function, runtime: Runtime | None, ports: Ports, settings: Settings
) -> list[Object]:
    """The environment that the runtime contract promises."""
    values = {
        "FUNC_TIMEOUT": seconds(function.timeout),
        "FUNC_PORT": str(ports.container),
        "FUNC_MEMORY_LIMIT": _memory_limit(function),
        "KUBELESS_DRAIN_DELAY": str(settings.drain_seconds),
        "KUBELESS_INSTALL_VOLUME": SOURCE_FOLDER,
    }
    if runtime is not None:
        values["FUNC_RUNTIME"] = function.runtime
    if function.handler is not None:
        values["FUNC_HANDLER"] = function.handler.function
        values["MOD_NAME"] = function.handler.module
    if function.concurrency:
        values["FUNC_CONCURRENCY"] = str(function.concurrency)
    _refuse_taken("spec.env", values.keys() & set(_plain_names(function.env)))
    # The root file system is read-only, and what looks for a home writes there.
    if not any(entry.get("name") == "HOME" for entry in function.env):
        values["HOME"] = TMP_FOLDER
    return [{"name": name, "value": value} for name, value in sorted(values.items())]


def _refuse_taken(path: str, taken: Set[str]) -> None:
    """Raise a SpecError when names that the runtime contract promises are given at ``path``."""
    if taken:
        raise SpecError(
            INVALID_SPEC,
            f"{path}: found {', '.join(sorted(taken))}, which Kubeless sets itself; take "
            f"{'it' if len(taken) == 1 else 'them'} out",
        )


def seconds(value: float) -> str:
    """Seconds as they were written: 180, 2.5."""
    return str(int(value)) if value == int(value) else repr(value)


def _memory_limit(function: Function) -> str:
    """The memory limit as written, where the handler's context shows it; '0' when there is none."""
    first = (fields.objects(pod_spec(function.deployment), "containers", _POD_PATH) or [{}])[0]
    given = fields.mapping(
        fields.mapping(first, "resources", _CONTAINER_PATH),
        "limits",
        f"{_CONTAINER_PATH}.resources",
    )
    own = function.resources.get("limits") or {}
    return str(given.get("memory") or own.get("memory") or "0")


def _volumes(function: Function, source: Source | None, settings: Settings) -> list[Object]:
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {"sizeLimit": TMP_SIZE_LIMIT}}]
    if source is not None:
        volumes.insert(0, {"name": SOURCE_VOLUME, "configMap": {"name": source.name}})
        if source.prepared:
            volumes.append(
                {"name": PREPARED_VOLUME, "emptyDir": {"sizeLimit": PREPARED_SIZE_LIMIT}}
            )
        volumes.extend(init.volumes(function, source, settings))
    for secret in function.secrets:
        volumes.append({"name": _secret_volume(secret), "secret": {"secretName": secret}})
    return volumes


def _secret_volume(secret: str) -> str:
    """A volume name of its own for a Secret's name, which may have dots and be longer."""
    return f"secret-{digest(secret)}"


def _laid_over(container: Object, given: Mapping[str, Any], function: Function) -> Object:
    for field in ("env", "ports", "volumeMounts"):
        fields.objects(given, field, _CONTAINER_PATH)
    theirs = {"HOME", *_plain_names(function.env)}
    ours = {entry["name"] for entry in container["env"]} - theirs
    _refuse_taken(f"{_CONTAINER_PATH}.env", ours.intersection(_plain_names(given.get("env", []))))
    if function.image:
        given = {**given, "image": function.image}
    laid = merged_container(
        container, {key: value for key, value in given.items() if value != {}}, _CONTAINER_PATH
    )
    # By this name the Service finds the port of each pod, whatever its number was when the pod was made.
    port = container["ports"][0]["containerPort"]
    for entry in laid["ports"]:
        if entry.get("containerPort") == port and entry.get("protocol", "TCP") == "TCP":
            entry["name"] = PORT
    return laid


def _plain_names(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names that are text; others are refused when the lists are joined."""
    return [entry["name"] for entry in entries if isinstance(entry.get("name"), str)]


def _sidecar(container: Mapping[str, Any], index: int, function: Function) -> Object:
    path = f"{_POD_PATH}.containers[{index}]"
    for field in ("name", "image"):
        if not fields.text(container, field, path):
            raise fields.wrong(
                f"{path}.{field}",
                None,
                "a value: containers after the first are sidecars of your own",
            )
    if container["name"] == function.name:
        raise fields.wrong(
            f"{path}.name", function.name, "another name: this is the function's own container's"
        )
    return dict(container)
