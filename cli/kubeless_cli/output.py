"""Objects as YAML or JSON text, the way `kubectl -o` shows them; pure.

`managedFields` never show: nobody asked who wrote what.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kubeless_cli.fields import LAST_APPLIED

Object = dict[str, Any]


def dump(value: Any, form: str) -> str:
    """`value` as `yaml` or `json`, without a newline at the end."""
    if form == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return _yaml(value).rstrip("\n")


def tidy(function: Object) -> Object:
    """The object without the API server's bookkeeping."""
    metadata = {k: v for k, v in function["metadata"].items() if k != "managedFields"}
    return function | {"metadata": metadata}


def portable(function: Object) -> Object:
    """The object as a manifest: only what a user would write and apply elsewhere."""
    metadata = function["metadata"]
    kept = {k: metadata[k] for k in ("name", "namespace", "labels", "annotations") if k in metadata}
    annotations = dict(kept.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    kept.pop("annotations", None)
    if annotations:
        kept["annotations"] = annotations
    return {
        "apiVersion": function["apiVersion"],
        "kind": function["kind"],
        "metadata": kept,
        "spec": function["spec"],
    }


# PyYAML quotes what YAML 1.1 would take for a number; to kubectl, 1e3 and 0o7 are numbers too.
_LIKE_A_NUMBER = re.compile(r"[-+]?[.]?[0-9][0-9a-fA-FoOxX._+-]*")


def _yaml(value: Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
        # Source code is read, not decoded: several lines become a block.
        style = "|" if "\n" in data else "'" if _LIKE_A_NUMBER.fullmatch(data) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    dumped: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    return dumped
