"""The triggers of Functions that say themselves what calls them: a schedule, or a topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeless_api import conditions, names
from kubeless_api.function import Function
from kubeless_controller.desired.children import Children
from kubeless_controller.observed.kept_trigger import triggered
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS, KAFKA_TRIGGERS
from kubeless_controller.reconcile.child import Child, NotOurs, owned_by
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.namespaced import Store

Object = dict[str, Any]

# kind of trigger -> the field that asks for it, and the condition that says whether it calls.
_ASKED_BY = {
    names.CRONJOB_TRIGGER_KIND: ("spec.schedule", conditions.SCHEDULED),
    names.KAFKA_TRIGGER_KIND: ("spec.topic", conditions.SUBSCRIBED),
}


@dataclass(frozen=True)
class Kept:
    """What a Function's own trigger says: the condition that it is for, and what that says."""

    condition: str
    verdict: Verdict


class KeptTriggers:
    """Keeps a trigger of the Function's name while the Function has a schedule or a topic.

    * One that a user made is left alone, and the function runs all the same.
    """

    def __init__(self, client: Client, cronjob_triggers: Store, kafka_triggers: Store) -> None:
        self._stores = {
            names.CRONJOB_TRIGGER_KIND: cronjob_triggers,
            names.KAFKA_TRIGGER_KIND: kafka_triggers,
        }
        self._children = {
            names.CRONJOB_TRIGGER_KIND: Child(client, CRONJOB_TRIGGERS, cronjob_triggers),
            names.KAFKA_TRIGGER_KIND: Child(client, KAFKA_TRIGGERS, kafka_triggers),
        }

    def ensure(self, function: Function, wanted: Children) -> Kept | None:
        """Make the trigger as wanted, and take away what is not; says whether it calls, None when none is wanted."""
        kind = "" if wanted.trigger is None else wanted.trigger["kind"]
        for other, store in self._stores.items():
            live = None if other == kind else store.get(function.namespace, function.name)
            if live is not None and owned_by(live, function.uid):
                self._children[other].delete(live)
        if wanted.trigger is None:
            return None
        return Kept(condition_of(wanted.trigger), self._ensured(wanted.trigger))

    def _ensured(self, trigger: Object) -> Verdict:
        kind = trigger["kind"]
        try:
            return triggered(self._children[kind].ensure(trigger))
        except NotOurs as error:
            return Verdict(False, conditions.CONFLICT, str(error))
        except NotFound as error:
            if not error.no_such_kind:
                raise
            return Verdict(
                False,
                conditions.UNSUPPORTED,
                f"{_ASKED_BY[kind][0]}: this cluster has no {kind}s; install the chart's definitions",
            )


def condition_of(trigger: Object) -> str:
    """The condition of a Function that speaks of this trigger of its own."""
    return _ASKED_BY[trigger["kind"]][1]
