"""JSON schemas for kubeconform, from a running API server's own OpenAPI documents.

Nothing can be downloaded here, and nothing needs to be: what the API server
publishes is what it checks, custom resources included.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from support.waiting import wait_for

Object = dict[str, Any]

LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"


def write(client: Client, folder: Path, definitions: Iterable[Object] = ()) -> None:
    """Write one schema for every kind that the API server serves, strict about unknown fields.

    Documents are gathered in the background, and each is read when it is whole: when it has every kind that the API
    server serves in its group and version, and those of ``definitions`` (CustomResourceDefinitions) there.
    """
    defined: dict[str, set[str]] = {}
    for definition in definitions:
        spec = definition["spec"]
        for version in spec["versions"]:
            path = f"apis/{spec['group']}/{version['name']}"
            defined.setdefault(path, set()).add(spec["names"]["kind"])
    paths = wait_for(lambda: _paths(client, defined), "OpenAPI names all groups and versions")
    for path in paths:
        schemas = wait_for(
            lambda path=path: _whole(client, path, defined.get(path, set())),
            f"OpenAPI's {path} is whole",
        )
        strict = {name: _strict(schema) for name, schema in schemas.items()}
        for name, schema in schemas.items():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                # As kubeconform fills LOCATION: the group's first part, none for the core group.
                group = kind["group"].partition(".")[0]
                parts = [kind["kind"].lower(), group, kind["version"]]
                file = "-".join(part for part in parts if part) + ".json"
                text = {
                    "$ref": f"#/components/schemas/{name}",
                    "components": {"schemas": strict},
                }
                (folder / file).write_text(json.dumps(text))


def _paths(client: Client, wanted: Iterable[str]) -> list[str]:
    """The paths of all groups and versions that are served and published; [] while any is not published."""
    groups = _json(client, "/apis").get("groups", [])
    served = {
        f"apis/{version['groupVersion']}" for group in groups for version in group["versions"]
    }
    published = _json(client, "/openapi/v3").get("paths", {})
    complete = {"api/v1", *served, *wanted}
    return sorted(complete) if complete <= published.keys() else []


def _whole(client: Client, path: str, defined: set[str]) -> Object:
    """The schemas of a group and version; {} while a kind is missing."""
    served = {
        resource["kind"]
        for resource in _json(client, f"/{path}").get("resources", [])
        if "/" not in resource["name"]  # a subresource may have another group's kind
    }
    # Without the hash that the index has: with one of a document that has changed since, the answer is a redirect.
    schemas: Object = _json(client, f"/openapi/v3/{path}").get("components", {}).get("schemas", {})
    group_version = path.removeprefix("apis/").removeprefix("api/")
    published = {
        kind["kind"]
        for schema in schemas.values()
        for kind in schema.get("x-kubernetes-group-version-kind", [])
        if "/".join(filter(None, (kind["group"], kind["version"]))) == group_version
    }
    return schemas if served and served | defined <= published else {}


def _json(client: Client, path: str) -> Object:
    """An answer; {} while there is none of use."""
    answer = client.request("GET", path)
    found: Object = answer.json() if answer.status == 200 and answer.data else {}
    return found


def _strict(schema: Any) -> Any:
    """The schema with unknown fields refused and null allowed where a field may be left out."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    result = {key: value for key, value in schema.items() if key != "default"}
    for key in ("items", "additionalProperties", "not"):
        if key in result:
            result[key] = _strict(result[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in result:
            result[key] = [_strict(entry) for entry in result[key]]
    if "properties" in result:
        required = set(schema.get("required", []))
        # By name: a property may itself be called "properties" or "default".
        result["properties"] = {
            name: _strict(value)
            if name in required
            else {"anyOf": [_strict(value), {"type": "null"}]}
            for name, value in schema["properties"].items()
        }
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            result.setdefault("additionalProperties", False)
    return result
