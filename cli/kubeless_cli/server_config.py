"""The controller's configuration, as its ConfigMap holds it: pure."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import Any

from kubeless_cli.errors import Failure
from kubeless_cli.table import render

Object = dict[str, Any]

KEY = "config.json"
# A chart's `nameOverride` changes app.kubernetes.io/name, so that label does not choose here.
SELECTOR = "app.kubernetes.io/component=controller"

COLUMNS = ["RUNTIME", "ALIASES", "IMAGE", "INSTALL_IMAGE", "DEPENDENCY_FILE"]
_ALIASES_WIDTH = 40
# Images are copied from the table: they stay in one piece.
_WIDTH = 500


def is_ours(config_map: Object) -> bool:
    """Whether a ConfigMap that SELECTOR found is that of a Kubeless controller."""
    labels = config_map["metadata"].get("labels") or {}
    return KEY in (config_map.get("data") or {}) and (
        labels.get("app.kubernetes.io/name") == "kubeless"
        or str(labels.get("helm.sh/chart") or "").startswith("kubeless-")
    )


def where(config_map: Object) -> str:
    """`<namespace>/<name>`."""
    metadata = config_map["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


def parse(config_map: Object) -> Object:
    """The configuration. Raises Failure when it is none."""
    try:
        config = json.loads(config_map["data"][KEY])
        problem = "" if isinstance(config, dict) else "it is not an object"
        if not problem and not _is_table(config.get("runtimes")):
            problem = "its 'runtimes' are not a list of objects that have an id"
    except ValueError as error:
        problem = f"it is not JSON: {error}"
    if problem:
        raise Failure(
            f"The configuration in ConfigMap {where(config_map)}, key {KEY}, can't be read: "
            f"{problem}.\nInstall the chart again ('helm upgrade'), which writes it anew."
        )
    found: Object = config
    return found


def page(config_map: Object, config: Object) -> str:
    """The human page: where it is, the runtimes, then everything else."""
    labels = config_map["metadata"].get("labels") or {}
    rows = [COLUMNS, *(_row(runtime) for runtime in config["runtimes"])]
    settings = {key: value for key, value in config.items() if key != "runtimes"}
    others = [
        ("ConfigMap:", where(config_map)),
        ("Version:", str(labels.get("app.kubernetes.io/version") or "")),
        *((f"{path}:", text) for path, text in flat(settings)),
    ]
    return f"{render(rows, _WIDTH)}\n\n{render(others, _WIDTH)}"


def flat(settings: Object, prefix: str = "") -> list[tuple[str, str]]:
    """Every setting with its dotted path; lists as JSON."""
    rows = []
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            rows += flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            rows.append((prefix + key, value))
        else:
            rows.append((prefix + key, json.dumps(value, ensure_ascii=False)))
    return rows


def _row(runtime: Object) -> list[str]:
    aliases = ", ".join(str(alias) for alias in runtime.get("aliases") or [])
    return [
        str(runtime["id"]),
        "\n".join(wrap(aliases, _ALIASES_WIDTH)),
        str(runtime.get("image") or ""),
        str(runtime.get("installImage") or ""),
        str(runtime.get("dependencyFile") or ""),
    ]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) and row.get("id") for row in value)
