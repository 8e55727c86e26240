"""JSON schemas for kubeconform, from a running API server's own OpenAPI documents.

Nothing can be downloaded here, and nothing needs to be: what the API server
publishes is what it checks, custom resources included.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client

Object = dict[str, Any]

LOCATION = "{{.ResourceKind}}{{.KindSuffix}}.json"


def write(client: Client, folder: Path) -> None:
    """Write one schema for every kind that the API server knows, strict about unknown fields."""
    index = client.request("GET", "/openapi/v3").json()["paths"]
    for path, entry in index.items():
        if not path.startswith(("api/", "apis/")) or path.count("/") < 1:
            continue
        url, _, query = entry["serverRelativeURL"].partition("?")
        document = client.request("GET", f"{url}?{query}").json()
        schemas = document.get("components", {}).get("schemas", {})
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
