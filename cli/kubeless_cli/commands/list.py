"""`kubeless function list`: the original's table, or the objects themselves."""

from __future__ import annotations

import json
from typing import Any

import click

from kubeless_cli.connection import Connection
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.listing import Selection, listing_flags, show
from kubeless_cli.manifest import main_container
from kubeless_cli.status import ready_column, standing, url

Object = dict[str, Any]

COLUMNS = ["NAME", "NAMESPACE", "HANDLER", "RUNTIME", "DEPENDENCIES", "STATUS"]
WIDE_COLUMNS = [*COLUMNS, "REASON", "MEMORY", "ENV", "LABEL", "URL"]


@click.command("list", short_help="List functions.")
@listing_flags
def list_functions(**options: Any) -> None:
    """List the functions of a namespace, or those named."""
    show(FUNCTION, options, WIDE_COLUMNS if options["out"] == "wide" else COLUMNS, _rows)


def _rows(connection: Connection, selection: Selection, found: list[Object]) -> list[list[str]]:
    deployments = _deployments(connection, found, selection.all_namespaces)
    wide = selection.out == "wide"
    return [row(function, deployments.get(_key(function)), wide=wide) for function in found]


def row(function: Object, deployment: Object | None, *, wide: bool) -> list[str]:
    """One function's cells."""
    metadata, spec = function["metadata"], function.get("spec") or {}
    cells = [
        metadata["name"],
        metadata["namespace"],
        spec.get("handler") or "",
        spec.get("runtime") or "",
        dependencies(spec),
        ready_column(function, deployment),
    ]
    if wide:
        cells += [
            standing(function).reason,
            memory(spec),
            "\n".join(f"{item['name']} = {env_value(item)}" for item in environment(spec)),
            "\n".join(f"{key} : {value}" for key, value in (metadata.get("labels") or {}).items()),
            url(function),
        ]
    return cells


def dependencies(spec: Object) -> str:
    """The deps as the table shows them: of a package.json only the packages, one a line."""
    deps = str(spec.get("deps") or "").strip()
    if not str(spec.get("runtime") or "").startswith("nodejs"):
        return deps
    try:
        packages = json.loads(deps)["dependencies"]
        return "\n".join(f"{name}: {version}" for name, version in packages.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return deps


def environment(spec: Object) -> list[Object]:
    """The function's environment, wherever it is written."""
    merged = {item["name"]: item for item in main_container(spec).get("env") or []}
    merged |= {item["name"]: item for item in spec.get("env") or []}
    return list(merged.values())


def env_value(item: Object) -> str:
    """A variable's value, or what it is taken from."""
    source = item.get("valueFrom")
    if not source:
        return str(item.get("value") or "")
    for kind, reference in source.items():
        if isinstance(reference, dict):
            name = ".".join(
                str(v) for k, v in reference.items() if k in ("name", "key", "fieldPath")
            )
            return f"<{kind.removesuffix('Ref')} {name}>"
    return "<unknown>"


def memory(spec: Object) -> str:
    return amount(spec, "memory")


def amount(spec: Object, resource: str, kind: str = "requests") -> str:
    """What the function requests of `memory` or `cpu` (or its `limits`), wherever it is written; ""
    for nothing."""
    for place in (spec.get("resources") or {}, main_container(spec).get("resources") or {}):
        value = str((place.get(kind) or {}).get(resource) or "")
        if value not in ("", "0"):
            return value
    return ""


def _deployments(
    connection: Connection, found: list[Object], all_namespaces: bool
) -> dict[tuple[str, str], Object]:
    """The functions' Deployments by namespace and name; none where reading them is not allowed."""
    from kubeless_api.names import CREATED_BY, LABEL_CREATED_BY
    from kubeless_kube.errors import Forbidden
    from kubeless_kube.resources import DEPLOYMENTS

    if not found:
        return {}
    try:
        listed = connection.client.list(
            DEPLOYMENTS,
            None if all_namespaces else connection.namespace,
            labels=f"{LABEL_CREATED_BY}={CREATED_BY}",
            limit=500,
        )
    except Forbidden:
        return {}
    return {_key(item): item for item in listed["items"]}


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]
