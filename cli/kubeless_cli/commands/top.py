"""`kubeless function top`: how often functions were called, how often they failed, how long they took."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli.connection import Connection, cluster_options, connect
from kubeless_cli.kinds import FUNCTION
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit
from kubeless_cli.table import render
from kubeless_cli.usage import Usage, sum_up

Object = dict[str, Any]

COLUMNS = [
    "NAME",
    "NAMESPACE",
    "METHOD",
    "TOTAL_CALLS",
    "TOTAL_FAILURES",
    "TOTAL_DURATION_SECONDS",
    "AVG_DURATION_SECONDS",
    "P50_SECONDS",
    "P99_SECONDS",
    "MESSAGE",
]


@click.command("top", short_help="Show calls, failures and durations.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format.")
@cluster_options
def top(names: tuple[str, ...], out: str | None, **options: Any) -> None:
    """Show calls, failures and durations of the functions of a namespace, or of those named.

    The numbers are those of the pods that run now, added up.
    """
    connection = connect(options)
    if names:
        found = [connection.function(name) for name in names]
    else:
        found = connection.client.list(FUNCTION.resource, connection.namespace, limit=500)["items"]
    entries = [entry for function in found for entry in _entries(connection, function)]
    if out:
        emit(dump(entries, out))
        return
    if not found:
        click.echo(f"No functions found in namespace '{connection.namespace}'.", err=True)
    emit(render([COLUMNS, *(row(entry) for entry in entries)]))


def row(entry: Object) -> list[str]:
    """One entry's cells."""
    return [
        entry["function"],
        entry["namespace"],
        entry["method"],
        f"{entry['total_calls']:.0f}",
        f"{entry['total_failures']:.0f}",
        f"{entry['total_duration_seconds']:.3f}",
        f"{entry['avg_duration_seconds']:.3f}",
        seconds(entry["p50_seconds"]),
        seconds(entry["p99_seconds"]),
        entry["message"],
    ]


def seconds(value: float | None) -> str:
    """A duration, or nothing where nothing is known."""
    return "" if value is None else f"{value:.3f}"


def _entries(connection: Connection, function: Object) -> list[Object]:
    metadata = function["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    texts, problems = _metrics(connection, namespace, name)
    usages: dict[str, Usage] = {}
    try:
        usages = sum_up(texts)
    except ValueError as error:
        problems.append(f"the metrics cannot be read: {error}")
    message = "; ".join(problems)
    rows = list(usages.items()) or [("", Usage())]
    return [_entry(namespace, name, method, usage, message) for method, usage in rows]


def _entry(namespace: str, name: str, method: str, usage: Usage, message: str) -> Object:
    return {
        "function": name,
        "namespace": namespace,
        "method": method,
        "message": message or ("" if usage.calls else "not called yet"),
        "total_calls": usage.calls,
        "total_failures": usage.failures,
        "total_duration_seconds": usage.seconds,
        "avg_duration_seconds": usage.average,
        "p50_seconds": usage.quantile(0.5),
        "p99_seconds": usage.quantile(0.99),
    }


def _metrics(connection: Connection, namespace: str, name: str) -> tuple[list[str], list[str]]:
    """The metrics text of each running pod, and what kept others from giving theirs."""
    from kubeless_api.names import selector_labels
    from kubeless_kube.resources import PODS

    labels = ",".join(f"{key}={value}" for key, value in selector_labels(name).items())
    pods = connection.client.list(PODS, namespace, labels=labels)["items"]
    texts, problems = [], []
    for pod in pods:
        if (pod.get("status") or {}).get("phase") != "Running":
            continue
        ports = pod["spec"]["containers"][0].get("ports") or [{}]
        port = ports[0].get("containerPort", 8080)
        path = f"{PODS.path(namespace, pod['metadata']['name'] + f':{port}', 'proxy')}/metrics"
        answer = connection.client.request("GET", path, headers={"Accept": "text/plain"})
        if answer.status == 200:
            texts.append(answer.data.decode("utf-8", "replace"))
        else:
            problems.append(f"{pod['metadata']['name']} answered {answer.status}")
    if not pods:
        problems.append("no pods")
    return texts, problems
