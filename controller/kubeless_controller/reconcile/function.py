"""A Function: from its spec to its children, and from those to its status.

One pass does all, from whatever state it finds; nothing is remembered between
passes but what the informers hold.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from kubeless_api import conditions, names
from kubeless_api.errors import SpecError
from kubeless_api.function import Function, parse
from kubeless_controller.desired import children
from kubeless_controller.desired.children import Children
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import FUNCTIONS, Caches, Key
from kubeless_controller.reconcile.child import Child, LeftBehind, NotOurs, StillThere
from kubeless_controller.reconcile.function_status import FunctionStatus
from kubeless_controller.reconcile.leftovers import Leftovers
from kubeless_controller.reconcile.refusal import refusal
from kubeless_controller.reconcile.replicas import Replicas
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, NotFound
from kubeless_kube.events import EventRecorder
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SERVICES

log = logging.getLogger(__name__)

Object = dict[str, Any]

# What keeps a Function from being built lies outside of what is watched (an object that is not ours, a
# quota, an admission check): look again after this many seconds.
RECHECK_SECONDS = 15.0
# What a deleted Function leaves is collected within moments.
STILL_THERE_SECONDS = 1.0
# What the controller deleted itself: the informer has it in no time.
REMOVED_SECONDS = 0.05


class FunctionReconciler:
    """Brings one Function at a time to where its spec says.

    * A spec that cannot be built leaves what runs alone and says so in Accepted.
    * Whatever goes wrong ends in the status or in a retry, never in both being silent.
    """

    def __init__(
        self, client: Client, caches: Caches, settings: Settings, events: EventRecorder
    ) -> None:
        self._client = client
        self._caches = caches
        self._settings = settings
        # Immutable, and named by its content: what is in it need not be read.
        self._config_maps = Child(client, CONFIGMAPS, caches.config_maps, compared=("metadata",))
        self._deployments = Child(client, DEPLOYMENTS, caches.deployments)
        self._services = Child(client, SERVICES, caches.services)
        self._autoscalers = Child(client, AUTOSCALERS, caches.autoscalers)
        self._replicas = Replicas(client, caches.deployments)
        self._leftovers = Leftovers(caches, self._config_maps, self._autoscalers)
        self._status = FunctionStatus(client, caches, events)

    def reconcile(self, key: Key) -> float | None:
        """Bring the Function up to date; returns the seconds after which to look again, or None.

        Raises ApiError or Unreachable when trying again may help.
        """
        obj = self._caches.functions.get(*key)
        if obj is None:
            return None  # its children go by their owner references
        if self._release(obj) or obj["metadata"].get("deletionTimestamp"):
            return None
        wanted: Children | None = None
        recheck: float | None = None
        try:
            function, wanted = self._built(obj)
            self._ensure(function, wanted)
            accepted = Verdict(True, conditions.VALID, _accepted(function, wanted))
        except SpecError as error:
            accepted = Verdict(False, error.reason, error.message)
        except LeftBehind as error:
            return self._remove(obj, error)
        except StillThere as error:
            accepted = Verdict(False, conditions.PROGRESSING, str(error))
            recheck = STILL_THERE_SECONDS
        except NotOurs as error:
            accepted = Verdict(False, conditions.CONFLICT, str(error))
            recheck = RECHECK_SECONDS
        except ApiError as error:
            refused = refusal(error)
            if refused is None:
                raise
            accepted = refused
            recheck = RECHECK_SECONDS
        self._status.write(obj, accepted, wanted)
        return recheck

    def _built(self, obj: Object) -> tuple[Function, Children]:
        """What the Function wants. Raises SpecError, whatever is wrong with it."""
        try:
            function = parse(obj)
            return function, children.build(function, self._settings)
        except SpecError:
            raise
        except Exception as error:
            # A mistake of ours, met by a spec that nobody thought of: its owner shall at least see it.
            log.exception("the spec cannot be read")
            raise SpecError(
                conditions.INTERNAL_ERROR,
                f"the controller cannot read this spec ({type(error).__name__}: {error}); this is a mistake of "
                "Kubeless, and its log has more",
            ) from error

    def _ensure(self, function: Function, wanted: Children) -> None:
        # Its name is the one most likely taken, and then nothing is made.
        self._services.ensure(wanted.service)
        if wanted.config_map is not None:
            self._config_maps.ensure(wanted.config_map)
        deployment = self._deployments.ensure(
            self._replicas.with_wish(wanted), on_create={"replicas": wanted.replicas}
        )
        # One that goes must not scale back what the Function wishes for then.
        self._leftovers.autoscalers(function, wanted)
        self._replicas.scale(wanted, deployment)
        if wanted.autoscaler is not None:
            self._autoscalers.ensure(wanted.autoscaler)
        self._leftovers.config_maps(function, wanted)

    def _remove(self, obj: Object, left: LeftBehind) -> float | None:
        """Delete what an earlier Function of this name left, as the cluster's collector will, minutes later perhaps.

        Only where this Function is beyond doubt the one that lives: then the other uid is of a dead one.
        Returns when to go on; raises Conflict where either changed meanwhile.
        """
        metadata = obj["metadata"]
        try:
            lives = self._client.get(FUNCTIONS, metadata["namespace"], metadata["name"])["metadata"]
        except NotFound:
            return None
        if lives["uid"] != metadata["uid"]:
            return None  # it is this one that is dead, and the informer will tell
        old = left.live["metadata"]
        with contextlib.suppress(NotFound):
            self._client.delete(
                left.resource,
                old["namespace"],
                old["name"],
                uid=old["uid"],
                resource_version=old["resourceVersion"],
            )
            log.info("%s %s of an earlier Function deleted", left.resource.kind, old["name"])
        return REMOVED_SECONDS

    def _release(self, obj: Object) -> bool:
        """Take out the finalizers of the original, which nothing else will ever remove."""
        metadata = obj["metadata"]
        finalizers = metadata.get("finalizers") or []
        kept = [entry for entry in finalizers if entry not in names.LEGACY_FINALIZERS]
        if len(kept) == len(finalizers):
            return False
        with contextlib.suppress(NotFound):
            self._client.patch(
                FUNCTIONS,
                metadata["namespace"],
                metadata["name"],
                {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": kept}},
                manager=names.FIELD_MANAGER,
            )
        return True


def _accepted(function: Function, wanted: Children) -> str:
    told = ["the function can be built"]
    if wanted.alias:
        told.append(wanted.alias)
    clash = children.clash(function)
    if clash:
        told.append(clash)
    return "; ".join(told)
