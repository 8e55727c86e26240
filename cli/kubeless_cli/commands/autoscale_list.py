"""`kubeless autoscale list`: the original's table, and how each autoscaler is doing."""

from __future__ import annotations

from typing import Any

import click

from kubeless_api.conditions import ACCEPTED, AUTOSCALED
from kubeless_cli import autoscaler
from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.output import dump, tidy
from kubeless_cli.status import current_condition
from kubeless_cli.stdout import emit
from kubeless_cli.table import render

Object = dict[str, Any]

COLUMNS = [
    "NAME",
    "NAMESPACE",
    "TARGET",
    "MIN",
    "MAX",
    "METRIC",
    "VALUE",
    "CURRENT",
    "DESIRED",
    "MESSAGE",
]


@click.command("list", short_help="List autoscalers.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Those of every namespace.")
@click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format.")
@cluster_options
def list_autoscalers(all_namespaces: bool, out: str | None, **options: Any) -> None:
    """List the autoscalers of a namespace's functions, with the pods they have and want.

    With -o, the HorizontalPodAutoscalers themselves; of those that do not exist (yet), what the
    function asks for.
    """
    connection = connect(options)
    namespace = None if all_namespaces else connection.namespace
    listed = connection.client.list(FUNCTION.resource, namespace, limit=500)["items"]
    found = [function for function in listed if autoscaler.wanted(function)]
    live = _live(connection, namespace) if found else {}
    pairs = [(function, live.get(_key(function))) for function in found]
    if out:
        items = [document(function, present) for function, present in pairs]
        emit(dump({"apiVersion": "v1", "kind": "List", "items": items}, out))
        return
    if not found:
        where = "" if all_namespaces else f" in namespace '{connection.namespace}'"
        click.echo(f"No autoscalers found{where}.", err=True)
    emit(render([COLUMNS, *(row(function, present) for function, present in pairs)]))


def row(function: Object, live: Object | None) -> list[str]:
    """One Function's cells; `live` is its HorizontalPodAutoscaler, if there is one to be seen."""
    asked = autoscaler.wanted(function)
    metrics = autoscaler.metrics(asked)
    status = (live or {}).get("status") or {}
    counts = ("currentReplicas", "desiredReplicas")
    return [
        autoscaler.name_of(asked),
        function["metadata"]["namespace"],
        autoscaler.target_of(asked),
        *autoscaler.bounds(asked),
        "\n".join(name for name, _ in metrics),
        "\n".join(value for _, value in metrics),
        *(str(status.get(count, 0)) if live else "" for count in counts),
        _message(function),
    ]


def document(function: Object, live: Object | None) -> Object:
    """The live object, else the one that the Function asks for."""
    typed = {"apiVersion": autoscaler.API_VERSION, "kind": "HorizontalPodAutoscaler"}
    if live is not None:
        return typed | tidy(live)
    asked = autoscaler.wanted(function)
    metadata = asked["metadata"] | {"namespace": function["metadata"]["namespace"]}
    return typed | asked | {"metadata": metadata}


def _message(function: Object) -> str:
    """What keeps it from scaling; nothing when nothing does."""
    autoscaled = current_condition(function, AUTOSCALED)
    for condition in (current_condition(function, ACCEPTED), autoscaled):
        if condition is not None and condition.get("status") == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return "" if autoscaled else "the controller has not looked at it yet"


def _live(connection: Connection, namespace: str | None) -> dict[tuple[str, str], Object]:
    """HorizontalPodAutoscalers by the uid of the Function that owns them; none where reading them
    is not allowed."""
    from kubeless_kube.errors import Forbidden
    from kubeless_kube.resources import AUTOSCALERS

    try:
        items = connection.client.list(AUTOSCALERS, namespace, limit=500)["items"]
    except Forbidden:
        return {}
    return {
        (owner["uid"], item["metadata"]["name"]): item
        for item in items
        for owner in item["metadata"].get("ownerReferences") or []
    }


def _key(function: Object) -> tuple[str, str]:
    return function["metadata"]["uid"], autoscaler.name_of(autoscaler.wanted(function))
