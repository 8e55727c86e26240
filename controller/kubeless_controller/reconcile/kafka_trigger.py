"""A KafkaTrigger: from its spec and the Functions it selects to its consumers, and from what those say to its status."""

from __future__ import annotations

import logging
from typing import Any

from kubeless_api import conditions
from kubeless_api.errors import SpecError
from kubeless_api.function import parse as parse_function
from kubeless_api.kafka_trigger import KafkaTrigger, labels_of, parse
from kubeless_controller.desired import kafka_consumer, service
from kubeless_controller.desired.consumer_config import Callee
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import KAFKA_TRIGGERS, Caches, Key, in_namespace
from kubeless_controller.reconcile.child import Child
from kubeless_controller.reconcile.consumers import Consumers
from kubeless_controller.reconcile.kafka_caches import KafkaCaches
from kubeless_controller.reconcile.kafka_status import Built, KafkaStatus
from kubeless_controller.reconcile.nudge import Nudge
from kubeless_controller.reconcile.owner import carry_out, readable, release
from kubeless_controller.reconcile.replicas import Replicas, at_creation
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.events import EventRecorder
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS

log = logging.getLogger(__name__)

Object = dict[str, Any]


class KafkaTriggerReconciler:
    """Brings one KafkaTrigger at a time to where its spec says.

    * A spec that cannot be built leaves the consumers that are there alone and says so in Accepted.
    * Functions come and go by the ConfigMap alone: no pod is started anew for them.
    """

    def __init__(
        self,
        client: Client,
        world: Caches,
        caches: KafkaCaches,
        consumers: Consumers,
        settings: Settings,
        events: EventRecorder,
    ) -> None:
        self._client = client
        self._world = world
        self._settings = settings
        self._config_maps = Child(
            client, CONFIGMAPS, caches.config_maps, compared=("metadata", "data")
        )
        self._deployments = Child(client, DEPLOYMENTS, caches.deployments)
        self._replicas = Replicas(client, caches.deployments)
        self._nudge = Nudge(client, caches.pods, consumers, settings.pace.nudge)
        writer = StatusWriter(client, world.kafka_triggers, events)
        self._status = KafkaStatus(caches, consumers, writer)

    def reconcile(self, key: Key) -> float | None:
        """Bring the trigger up to date; returns the seconds after which to look again, or None.

        Raises ApiError or Unreachable when trying again may help.
        """
        obj = self._world.kafka_triggers.get(*key)
        if obj is None:
            return None  # what it had goes by its owner references
        if release(self._client, KAFKA_TRIGGERS, obj) or obj["metadata"].get("deletionTimestamp"):
            return None
        built: Built | None = None

        def work() -> Verdict:
            nonlocal built
            trigger = readable(lambda: parse(obj, self._settings.kafka.connection))
            callees, broken = self._callees(trigger)
            missing = self._status.topic_missing(obj, trigger)
            wanted = readable(
                lambda: kafka_consumer.build(
                    trigger, callees, self._settings, topic_missing=missing
                )
            )
            names = tuple(sorted([*(callee.name for callee in callees), *broken]))
            built = Built(trigger, names, broken, wanted.config_hash, missing)
            self._config_maps.ensure(wanted.config_map)
            deployment = self._deployments.ensure(wanted.deployment, on_create=at_creation(wanted))
            self._replicas.scale(wanted, deployment)
            return Verdict(True, conditions.VALID, "the consumers can be built")

        outcome = carry_out(self._client, KAFKA_TRIGGERS, obj, work, self._settings.pace)
        looks = [outcome.recheck]
        if outcome.accepted is not None:
            if outcome.accepted.ok and built is not None:
                looks.append(self._nudge.behind(key, built.config_hash))
            looks.append(self._status.write(obj, outcome.accepted, built))
        return min((seconds for seconds in looks if seconds is not None), default=None)

    def _callees(self, trigger: KafkaTrigger) -> tuple[list[Callee], dict[str, str]]:
        """The Functions that are called; and why others cannot be, by name: their records wait."""
        callees: list[Callee] = []
        broken: dict[str, str] = {}
        for obj in self._world.functions.in_group(in_namespace(trigger.namespace)):
            if obj["metadata"].get("deletionTimestamp") or not trigger.selector.matches(
                labels_of(obj)
            ):
                continue
            try:
                callees.append(readable(lambda found=obj: _callee(found)))  # type: ignore[misc]
            except SpecError as error:
                broken[obj["metadata"]["name"]] = error.message
        return callees, broken


def _callee(obj: Object) -> Callee:
    function = parse_function(obj)
    return Callee(
        function.name, service.url_of(function, service.ports_of(function)), function.timeout
    )
