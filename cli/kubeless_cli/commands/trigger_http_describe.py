"""`kubeless trigger http describe`: everything about one HTTP trigger on one page."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.commands.trigger_http_list import way
from kubeless_cli.description import describe, description_flags
from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_cli.page import pairs, render_page
from kubeless_cli.status import url
from kubeless_cli.trigger import function_of

Object = dict[str, Any]


@click.command("describe", short_help="Show one HTTP trigger in full.")
@description_flags
def describe_http(**options: Any) -> None:
    """Show the HTTP trigger NAME: what it is, and its conditions with their reasons."""
    describe(HTTP_TRIGGER, options, page)


def page(trigger: Object) -> str:
    """The human page: fields, then conditions."""
    metadata, spec = trigger["metadata"], trigger.get("spec") or {}
    rows = [
        ("Function:", function_of(trigger)),
        ("Host:", spec.get("host-name") or "every name"),
        ("Path:", "/" + str(spec.get("path") or "").strip("/")),
        ("Via:", way(spec) or "as the installation says"),
        ("TLS:", "a certificate is made" if spec.get("tls") else ""),
        ("TLS secret:", spec.get("tls-secret") or ""),
        ("Basic auth secret:", spec.get("basic-auth-secret") or ""),
        ("CORS:", "every origin" if spec.get("cors-enable") else ""),
        ("Label:", pairs(metadata.get("labels"))),
        ("Annotation:", pairs(metadata.get("annotations"))),
        ("URL:", url(trigger)),
    ]
    return render_page(HTTP_TRIGGER, trigger, rows)
