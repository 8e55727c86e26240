"""A Function: from its spec to its children, and from those to its status.

One pass does all, from whatever state it finds; nothing is remembered between
passes but what the informers hold.
"""

from __future__ import annotations

from typing import Any

from kubeless_api import conditions
from kubeless_api.function import Function, parse
from kubeless_controller.desired import children
from kubeless_controller.desired.children import Children
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import FUNCTIONS, Caches, Key
from kubeless_controller.reconcile.child import Child
from kubeless_controller.reconcile.function_status import FunctionStatus
from kubeless_controller.reconcile.kept_triggers import Kept, KeptTriggers
from kubeless_controller.reconcile.leftovers import Leftovers
from kubeless_controller.reconcile.owner import carry_out, readable, release
from kubeless_controller.reconcile.replicas import Replicas, at_creation
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.events import EventRecorder
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SERVICES

Object = dict[str, Any]


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
        self._triggers = KeptTriggers(client, caches.cronjob_triggers, caches.kafka_triggers)
        self._status = FunctionStatus(caches, StatusWriter(client, caches.functions, events))

    def reconcile(self, key: Key) -> float | None:
        """Bring the Function up to date; returns the seconds after which to look again, or None.

        Raises ApiError or Unreachable when trying again may help.
        """
        obj = self._caches.functions.get(*key)
        if obj is None:
            return None  # its children go by their owner references
        if release(self._client, FUNCTIONS, obj) or obj["metadata"].get("deletionTimestamp"):
            return None
        wanted: Children | None = None
        kept: Kept | None = None

        def work() -> Verdict:
            nonlocal wanted, kept
            function, wanted = readable(lambda: self._built(obj))
            self._ensure(function, wanted)
            kept = self._triggers.ensure(function, wanted)
            return Verdict(True, conditions.VALID, _accepted(function, wanted))

        outcome = carry_out(self._client, FUNCTIONS, obj, work, self._settings.pace)
        if outcome.accepted is not None:
            self._status.write(obj, outcome.accepted, wanted, kept)
        return outcome.recheck

    def _built(self, obj: Object) -> tuple[Function, Children]:
        function = parse(obj)
        return function, children.build(function, self._settings)

    def _ensure(self, function: Function, wanted: Children) -> None:
        # Its name is the one most likely taken, and then nothing is made.
        self._services.ensure(wanted.service)
        if wanted.config_map is not None:
            self._config_maps.ensure(wanted.config_map)
        deployment = self._deployments.ensure(wanted.deployment, on_create=at_creation(wanted))
        # One that goes must not scale back what the Function wishes for then.
        self._leftovers.autoscalers(function, wanted)
        self._replicas.scale(wanted, deployment)
        if wanted.autoscaler is not None:
            self._autoscalers.ensure(wanted.autoscaler)
        self._leftovers.config_maps(function, wanted)


def _accepted(function: Function, wanted: Children) -> str:
    told = ["the function can be built"]
    if wanted.alias:
        told.append(wanted.alias)
    clash = children.clash(function)
    if clash:
        told.append(clash)
    return "; ".join(told)
