"""How many pods a Deployment has: set when its owner's wish changes, and by nobody else of ours.

The replicas are no part of what is applied: leaving them out of a later apply
would scale to 1, and an autoscaler's or a person's number would be fought.
The wish that was last carried out stands in an annotation.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from kubeless_api import names
from kubeless_controller.desired.children import AUTOSCALED
from kubeless_kube.client import Client
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import DEPLOYMENTS

log = logging.getLogger(__name__)

Object = dict[str, Any]


class Wanted(Protocol):
    """What an owner asks for: ``replicas`` to begin with, and the wish as its Deployment's annotation has it."""

    @property
    def replicas(self) -> int: ...
    @property
    def wish(self) -> str: ...


class Replicas:
    """Scales Deployments.

    * A scaling by others stays until the owner itself wishes for another number.
    * While the Function has an autoscaler, nothing is scaled here.
    * The scaling and its annotation are one write: between two of them a controller may end, the wish return to what it
      was, and the number stay for ever.
    * What is applied does not have the annotation: a pass that knows an older Deployment cannot write an older wish.
    """

    def __init__(self, client: Client, deployments: Store) -> None:
        self._client = client
        self._deployments = deployments

    def scale(self, wanted: Wanted, deployment: Object) -> None:
        """Carry the wish out, when it is a new one."""
        metadata = deployment["metadata"]
        if wish_of(deployment) == wanted.wish or metadata.get("deletionTimestamp"):
            return
        namespace, name = metadata["namespace"], metadata["name"]
        # With the uid it cannot be another Deployment of that name.
        change: Object = {"metadata": {"uid": metadata["uid"], **_annotations(wanted)}}
        if wanted.wish != AUTOSCALED:
            change["spec"] = {"replicas": wanted.replicas}
        self._deployments.remember(
            self._client.patch(
                DEPLOYMENTS, namespace, name, change, manager=names.SCALE_FIELD_MANAGER
            )
        )
        log.info("Deployment %s: %s replicas wished for", name, wanted.wish)


def at_creation(wanted: Wanted) -> Object:
    """What a new Deployment has besides what is applied: its replicas, and that they are what is wished for."""
    return {"metadata": _annotations(wanted), "spec": {"replicas": wanted.replicas}}


def wish_of(deployment: Object) -> str:
    """The wish that was carried out last; '' when there is none."""
    annotations = deployment["metadata"].get("annotations") or {}
    wish: str = annotations.get(names.ANNOTATION_REPLICAS, "")
    return wish


def _annotations(wanted: Wanted) -> Object:
    return {"annotations": {names.ANNOTATION_REPLICAS: wanted.wish}}
