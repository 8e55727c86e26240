"""The installation of Kubeless that a cluster has: its controller's ConfigMap, found and read."""

from __future__ import annotations

from typing import Any

from kubeless_cli import server_config
from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure

Object = dict[str, Any]


def find_config(connection: Connection, namespace: str | None, flag: str) -> Object:
    """The ConfigMap of the one installation there is; `flag` chooses its namespace. Raises Failure."""
    from kubeless_kube.errors import Forbidden
    from kubeless_kube.resources import CONFIGMAPS

    place = f"namespace '{namespace}'" if namespace else "any namespace"
    try:
        listed = connection.client.list(CONFIGMAPS, namespace, labels=server_config.SELECTOR)
    except Forbidden as error:
        raise _not_allowed(namespace, str(error.message), flag) from None
    found: list[Object] = [item for item in listed["items"] if server_config.is_ours(item)]
    if not found:
        elsewhere = f"choose another namespace with {flag}, or " if namespace else ""
        raise Failure(
            f"There is no configuration of a Kubeless controller in {place}.\n"
            f"Install the chart with helm, {elsewhere}choose another cluster with --context."
        )
    if len(found) > 1:
        raise Failure(
            f"Kubeless is installed {len(found)} times: "
            f"ConfigMaps {', '.join(server_config.where(item) for item in found)}.\n"
            f"Choose one with {flag}, or read one with 'kubectl get configmap'."
        )
    return found[0]


def _not_allowed(namespace: str | None, message: str, flag: str) -> Failure:
    said = message.replace('"', "'").rstrip(".")
    if namespace:
        return Failure(
            f"Not allowed: {said}.\n"
            "The right that is needed is 'list' on configmaps in that namespace; ask whoever runs "
            "the cluster."
        )
    return Failure(
        f"Not allowed: {said}.\n"
        f"With {flag}, the right that is needed is only 'list' on configmaps in the "
        "namespace where Kubeless is installed."
    )
