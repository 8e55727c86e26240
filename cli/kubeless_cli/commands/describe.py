"""`kubeless function describe`: everything about one function on one page."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import autoscaler, description
from kubeless_cli.commands.list import amount, dependencies, env_value, environment
from kubeless_cli.description import description_flags
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.manifest import main_container, pod_spec
from kubeless_cli.page import pairs, render_page
from kubeless_cli.status import url

Object = dict[str, Any]


@click.command(short_help="Show one function in full.")
@description_flags
def describe(**options: Any) -> None:
    """Show the function NAME: what it is, and its conditions with their reasons."""
    description.describe(FUNCTION, options, page)


def page(function: Object) -> str:
    """The human page: fields, then conditions."""
    spec = function.get("spec") or {}
    status = function.get("status") or {}
    service = spec.get("service") or {}
    asked = autoscaler.wanted(function)
    ports = (service.get("ports") or [{}])[0]
    rows = [
        ("Handler:", spec.get("handler") or ""),
        ("Runtime:", spec.get("runtime") or ""),
        ("Image:", spec.get("image") or main_container(spec).get("image") or ""),
        ("Label:", pairs(function["metadata"].get("labels"))),
        ("Envvar:", "\n".join(f"{item['name']}={env_value(item)}" for item in environment(spec))),
        ("Memory:", amount(spec, "memory")),
        ("CPU:", amount(spec, "cpu")),
        ("Timeout:", f"{spec['timeout']} s" if spec.get("timeout") else ""),
        ("Dependencies:", dependencies(spec)),
        ("Secrets:", "\n".join(spec.get("secrets") or [])),
        (
            "Service account:",
            spec.get("serviceAccountName") or pod_spec(spec).get("serviceAccountName") or "",
        ),
        ("Schedule:", spec.get("schedule") or ""),
        ("Autoscaler:", autoscaler.summary(asked) if asked else ""),
        ("Port:", str(ports.get("port") or "")),
        ("Source:", spec.get("function-content-type") or ""),
        ("Checksum:", status.get("sourceChecksum") or spec.get("checksum") or ""),
        ("URL:", url(function)),
    ]
    return render_page(FUNCTION, function, rows)
