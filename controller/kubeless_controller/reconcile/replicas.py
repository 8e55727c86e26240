"""How many pods a Deployment has: set when the Function's wish changes, and by nobody else of ours.

The replicas are no part of what is applied: leaving them out of a later apply
would scale to 1, and an autoscaler's or a person's number would be fought.
The wish that was last carried out stands in an annotation.
"""

from __future__ import annotations

import logging
from typing import Any

from kubeless_api import names
from kubeless_controller.desired.children import AUTOSCALED, Children
from kubeless_kube.client import Client
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import DEPLOYMENTS

log = logging.getLogger(__name__)

Object = dict[str, Any]


class Replicas:
    """Scales Deployments.

    * A scaling by others stays until the Function itself wishes for another number.
    * While the Function has an autoscaler, nothing is scaled here.
    * A crash between the scaling and its annotation is made good: the wish is old until both are done.
    """

    def __init__(self, client: Client, deployments: Store) -> None:
        self._client = client
        self._deployments = deployments

    def with_wish(self, wanted: Children) -> Object:
        """The wanted Deployment, annotated with the wish that was carried out last."""
        metadata = wanted.deployment["metadata"]
        live = self._deployments.get(metadata["namespace"], metadata["name"])
        return _annotated(wanted, wish_of(live) or wanted.wish)

    def scale(self, wanted: Children, deployment: Object) -> None:
        """Carry the wish out, when it is a new one."""
        metadata = deployment["metadata"]
        if wish_of(deployment) == wanted.wish or metadata.get("deletionTimestamp"):
            return
        if wanted.wish != AUTOSCALED and deployment["spec"].get("replicas") != wanted.replicas:
            self._client.patch(
                DEPLOYMENTS,
                metadata["namespace"],
                metadata["name"],
                {"spec": {"replicas": wanted.replicas}},
                subresource="scale",
                manager=names.SCALE_FIELD_MANAGER,
            )
            log.info("Deployment %s: scaled to %s", metadata["name"], wanted.replicas)
        body = _annotated(wanted, wanted.wish)
        body["metadata"]["uid"] = metadata["uid"]
        self._deployments.remember(
            self._client.apply(DEPLOYMENTS, body, manager=names.FIELD_MANAGER)
        )


def wish_of(deployment: Object | None) -> str:
    """The wish that was carried out last; '' when there is none."""
    annotations = (deployment or {}).get("metadata", {}).get("annotations") or {}
    wish: str = annotations.get(names.ANNOTATION_REPLICAS, "")
    return wish


def _annotated(wanted: Children, wish: str) -> Object:
    metadata = wanted.deployment["metadata"]
    annotations = {**metadata["annotations"], names.ANNOTATION_REPLICAS: wish}
    return {**wanted.deployment, "metadata": {**metadata, "annotations": annotations}}
