"""`kubeless get-server-config`: which runtimes this cluster has, and how its controller is set."""

from __future__ import annotations

from typing import Any

import click

from kubeless_cli import server_config
from kubeless_cli.connection import Connection, connect, context_options
from kubeless_cli.errors import Failure
from kubeless_cli.flags import checked
from kubeless_cli.inputs import say
from kubeless_cli.names import check_namespace
from kubeless_cli.output import dump
from kubeless_cli.stdout import emit

Object = dict[str, Any]


@click.command(short_help="Show the runtimes and settings of the controller.")
@click.option(
    "--kubeless-namespace",
    callback=checked(check_namespace),
    help="Where Kubeless is installed. [default: looked for in all namespaces]",
)
@click.option("-o", "--out", type=click.Choice(["yaml", "json"]), help="Output format.")
@context_options
def get_server_config(kubeless_namespace: str | None, out: str | None, **options: Any) -> None:
    """Show the runtimes that functions can have here, and the other settings of the controller.

    It reads the controller's ConfigMap: that needs the right to list configmaps in all namespaces,
    or in the one that --kubeless-namespace names.
    """
    config_map = _find(connect(options), kubeless_namespace or None)
    config = server_config.parse(config_map)
    if out:
        emit(dump(config, out))
        return
    # As ever, so that scripts find it.
    ids = ", ".join(str(runtime["id"]) for runtime in config["runtimes"])
    say(f"Supported Runtimes are: {ids}")
    emit(server_config.page(config_map, config))


def _find(connection: Connection, namespace: str | None) -> Object:
    """The ConfigMap of the one installation there is. Raises Failure."""
    from kubeless_kube.errors import Forbidden
    from kubeless_kube.resources import CONFIGMAPS

    place = f"namespace '{namespace}'" if namespace else "any namespace"
    try:
        listed = connection.client.list(CONFIGMAPS, namespace, labels=server_config.SELECTOR)
    except Forbidden as error:
        raise _not_allowed(namespace, str(error.message)) from None
    found: list[Object] = [item for item in listed["items"] if server_config.is_ours(item)]
    if not found:
        elsewhere = "leave --kubeless-namespace out to look everywhere, or " if namespace else ""
        raise Failure(
            f"There is no configuration of a Kubeless controller in {place}.\n"
            f"Install the chart with helm, {elsewhere}choose another cluster with --context."
        )
    if len(found) > 1:
        raise Failure(
            f"Kubeless is installed {len(found)} times: "
            f"ConfigMaps {', '.join(server_config.where(item) for item in found)}.\n"
            "Choose one with --kubeless-namespace, or read one with 'kubectl get configmap'."
        )
    return found[0]


def _not_allowed(namespace: str | None, message: str) -> Failure:
    said = message.replace('"', "'").rstrip(".")
    if namespace:
        return Failure(
            f"Not allowed: {said}.\n"
            "The right that is needed is 'list' on configmaps in that namespace; ask whoever runs "
            "the cluster."
        )
    return Failure(
        f"Not allowed: {said}.\n"
        "With --kubeless-namespace, the right that is needed is only 'list' on configmaps in the "
        "namespace where Kubeless is installed."
    )
