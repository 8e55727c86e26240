"""Autoscalers of a user's own."""

from __future__ import annotations

from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS
from support.waiting import wait_for


def autoscale(
    client: Client, namespace: str, kind: str, name: str, *, least: int, most: int
) -> None:
    """Have the cluster keep so many replicas of one of our objects."""
    target = {"apiVersion": "kubeless.io/v1beta1", "kind": kind, "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most}
    client.create(AUTOSCALERS, {"metadata": {"name": "mine", "namespace": namespace}, "spec": spec})

    def able() -> bool:
        status = client.get(AUTOSCALERS, namespace, "mine").get("status") or {}
        found = {entry["type"]: entry["status"] for entry in status.get("conditions", [])}
        return found.get("AbleToScale") == "True"

    # The cluster's controller looks for new kinds every 30 s: until then it does not know ours.
    wait_for(able, "the cluster's controller knows the kind", 60)
