"""The init containers that prepare a source and install its dependencies.

They fill the volume that the runtime then reads. Both are as hardened as the
function itself and see its namespace only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeless_api import fields, names
from kubeless_api.function import Function
from kubeless_api.runtimes import Runtime
from kubeless_controller.desired.merge import merged_list
from kubeless_controller.desired.source import (
    DEPENDENCIES_KEY,
    SOURCE_KEY,
    Source,
    dependencies_are_url,
)
from kubeless_controller.settings import CaBundle, Settings

Object = dict[str, Any]

PREPARE_COMMAND = ("/usr/bin/python3", "-P", "/opt/kubeless/server/kubeless_prepare")
# Where the ConfigMap is mounted for preparing; the volume that is filled is the runtime's own.
GIVEN_FOLDER = "/source"
CA_VOLUME = "ca-bundle"
CA_FOLDER = "/etc/kubeless-ca"


def containers(
    function: Function,
    runtime: Runtime,
    source: Source,
    settings: Settings,
    base: Mapping[str, Any],
) -> list[Object]:
    """The init containers that the source needs, in order; none for a source that is mounted as it is.

    ``base`` has what they share with the function's container: environment,
    security context, the mounts of the volume and of /tmp.
    """
    result = []
    if source.prepared:
        result.append(_prepare(function, runtime, source, settings, base))
    if source.installed:
        result.append(_install(function, runtime, settings, base))
    return result


def volumes(function: Function, source: Source, settings: Settings) -> list[Object]:
    """The volumes that only init containers mount."""
    bundle = ca_bundle(function, settings)
    if not source.prepared or bundle is None:
        return []
    items = [{"key": bundle.key, "path": "ca.crt"}]
    return [{"name": CA_VOLUME, "configMap": {"name": bundle.config_map, "items": items}}]


def ca_bundle(function: Function, settings: Settings) -> CaBundle | None:
    """The Function's own bundle of certificates, else the installation's."""
    given = fields.mapping(function.dependencies, "caBundle", "spec.dependencies")
    if not given:
        return settings.dependencies.ca_bundle
    path = "spec.dependencies.caBundle"
    name = fields.text(given, "configMapName", path)
    if not name:
        raise fields.wrong(f"{path}.configMapName", None, "the name of a ConfigMap")
    return CaBundle(name, fields.text(given, "key", path) or "ca.crt")


def _prepare(
    function: Function,
    runtime: Runtime,
    source: Source,
    settings: Settings,
    base: Mapping[str, Any],
) -> Object:
    kind = function.content_type
    values = {
        "KUBELESS_SOURCE_FILE": f"{GIVEN_FOLDER}/{SOURCE_KEY}",
        "KUBELESS_SOURCE_CARRIER": "url" if kind.carrier == "url" else "file",
        "KUBELESS_SOURCE_ARCHIVE": kind.archive,
        "KUBELESS_SOURCE_NAME": source.file,
        "KUBELESS_CHECKSUM": function.checksum,
        "KUBELESS_DOWNLOAD_LIMIT": str(settings.sources.download_limit),
        "KUBELESS_UNPACKED_LIMIT": str(settings.sources.unpacked_limit),
        "KUBELESS_FILES_LIMIT": str(settings.sources.files_limit),
    }
    if settings.sources.allow_local_urls:
        values["KUBELESS_ALLOW_LOCAL_URLS"] = "true"
    if source.dependencies:
        values["KUBELESS_DEPS_SOURCE"] = f"{GIVEN_FOLDER}/{DEPENDENCIES_KEY}"
        values["KUBELESS_DEPS_NAME"] = runtime.dependency_file
        values["KUBELESS_DEPS_CARRIER"] = "url" if dependencies_are_url(function) else "file"
    container = _container(
        names.PREPARE_CONTAINER, settings.prepare_image, PREPARE_COMMAND, function, settings, base
    )
    container["env"] = _with_values(container["env"], values)
    container["volumeMounts"].append(
        {"name": "source", "mountPath": GIVEN_FOLDER, "readOnly": True}
    )
    return container


def _install(
    function: Function, runtime: Runtime, settings: Settings, base: Mapping[str, Any]
) -> Object:
    container = _container(
        names.INSTALL_CONTAINER,
        runtime.install_image,
        runtime.install_command,
        function,
        settings,
        base,
    )
    deps_file = f"{_volume_folder(base)}/{runtime.dependency_file}"
    container["env"] = _with_values(container["env"], {"KUBELESS_DEPS_FILE": deps_file})
    return container


def _container(
    name: str,
    image: str,
    command: tuple[str, ...],
    function: Function,
    settings: Settings,
    base: Mapping[str, Any],
) -> Object:
    own = function.dependencies
    env = merged_list(
        [dict(entry) for entry in settings.dependencies.env],
        fields.objects(own, "env", "spec.dependencies"),
        ["name"],
    )
    container: Object = {
        "name": name,
        "image": image,
        "command": list(command),
        "imagePullPolicy": settings.image_pull_policy,
        # The function's own environment first: what is said about installing comes before it.
        "env": merged_list(base["env"], env, ["name"]),
        "volumeMounts": [dict(mount, readOnly=False) for mount in base["volumeMounts"]],
        "securityContext": base["securityContext"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    env_from = [
        *(dict(entry) for entry in settings.dependencies.env_from),
        *fields.objects(own, "envFrom", "spec.dependencies"),
    ]
    if env_from:
        container["envFrom"] = env_from
    if base.get("resources"):
        container["resources"] = base["resources"]
    if ca_bundle(function, settings) is not None:
        path = f"{CA_FOLDER}/ca.crt"
        container["env"] = _with_values(
            container["env"], {"KUBELESS_CA_BUNDLE": path, "NODE_EXTRA_CA_CERTS": path}
        )
        container["volumeMounts"].append(
            {"name": CA_VOLUME, "mountPath": CA_FOLDER, "readOnly": True}
        )
    return container


def _with_values(env: list[Object], values: Mapping[str, str]) -> list[Object]:
    ours = [{"name": name, "value": value} for name, value in sorted(values.items()) if value]
    return merged_list(env, ours, ["name"])


def _volume_folder(base: Mapping[str, Any]) -> str:
    folder: str = base["volumeMounts"][0]["mountPath"]
    return folder
