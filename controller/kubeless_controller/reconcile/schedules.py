"""The CronJobTriggers of Functions that have a schedule themselves."""

from __future__ import annotations

from typing import Any

from kubeless_api import conditions, names
from kubeless_api.function import Function
from kubeless_controller.desired.children import Children
from kubeless_controller.observed.scheduled import scheduled
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import CRONJOB_TRIGGERS
from kubeless_controller.reconcile.child import Child, NotOurs, owned_by
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.namespaced import Store

Object = dict[str, Any]


class Schedules:
    """Keeps a trigger of the Function's name while the Function has a schedule.

    * One that a user made is left alone, and the function runs all the same.
    """

    def __init__(self, client: Client, triggers: Store) -> None:
        self._store = triggers
        self._child = Child(client, CRONJOB_TRIGGERS, triggers)

    def ensure(self, function: Function, wanted: Children) -> Verdict | None:
        """Make the trigger as wanted, or take it away; says whether it calls, None when none is wanted."""
        if wanted.trigger is None:
            live = self._store.get(function.namespace, function.name)
            if live is not None and owned_by(live, function.uid):
                self._child.delete(live)
            return None
        try:
            return scheduled(self._child.ensure(wanted.trigger))
        except NotOurs as error:
            return Verdict(False, conditions.CONFLICT, str(error))
        except NotFound as error:
            if not error.no_such_kind:
                raise
            return Verdict(
                False,
                conditions.UNSUPPORTED,
                f"spec.schedule: this cluster has no {names.CRONJOB_TRIGGER_KIND}s; install the chart's definitions",
            )
