"""An HTTPTrigger: from its spec to an Ingress or an HTTPRoute, and from those to its status."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kubeless_api import conditions, fields, names
from kubeless_api.errors import SpecError
from kubeless_api.function import DEFAULT_TIMEOUT, parse_timeout
from kubeless_api.http_trigger import HTTPTrigger, parse
from kubeless_controller.desired import routes
from kubeless_controller.desired.claims import claim, holder
from kubeless_controller.desired.ingress import LABELS
from kubeless_controller.desired.routes import Routes
from kubeless_controller.observed import programmed, trim
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.caches import Caches, Key, called_function
from kubeless_controller.reconcile.child import Child, owned_by
from kubeless_controller.reconcile.claims import Claims
from kubeless_controller.reconcile.informers import Informers
from kubeless_controller.reconcile.owner import carry_out, readable, release
from kubeless_controller.reconcile.status_writer import StatusWriter
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.events import EventRecorder
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import HTTP_ROUTES, INGRESSES, MIDDLEWARES, Resource

Object = dict[str, Any]

HTTP_TRIGGERS = Resource(
    names.GROUP, names.VERSION, names.HTTP_TRIGGER_PLURAL, names.HTTP_TRIGGER_KIND
)
_OWN = ",".join(f"{key}={value}" for key, value in LABELS.items())
# Of a cluster that does not serve the kind: what to do.
_MISSING = {
    HTTP_ROUTES: "install the Gateway API's definitions and a gateway, or name an ingressClassName instead of parentRefs",
    MIDDLEWARES: "install Traefik's definitions, or use another gateway",
}


@dataclass(frozen=True)
class HTTPCaches:
    """What HTTPTriggers stand on, besides Functions and their Services."""

    triggers: Store
    ingresses: Store
    http_routes: Store
    middlewares: Store

    def children(self) -> tuple[Store, ...]:
        """Those of what triggers own."""
        return self.ingresses, self.http_routes, self.middlewares


def http_caches(informers: Informers) -> HTTPCaches:
    """The informers, not started; a cluster need not serve all of these kinds."""

    def own(resource: Resource) -> Store:
        return informers.make(
            resource, labels=_OWN, trim=trim.child, group_of=trigger_of, optional=True
        )

    return HTTPCaches(
        triggers=informers.make(HTTP_TRIGGERS, group_of=called_function, optional=True),
        ingresses=own(INGRESSES),
        http_routes=own(HTTP_ROUTES),
        middlewares=own(MIDDLEWARES),
    )


def trigger_of(obj: Object) -> Key:
    """The key of the trigger that owns an object."""
    metadata = obj["metadata"]
    for reference in metadata.get("ownerReferences") or []:
        if reference.get("kind") == names.HTTP_TRIGGER_KIND:
            return metadata["namespace"], str(reference.get("name"))
    return metadata["namespace"], ""


class HTTPTriggerReconciler:
    """Brings one HTTPTrigger at a time to where its spec says.

    * Without its function, or with what another trigger has, nothing of it is left in the gateway.
    * A spec that cannot be rendered leaves what is routed alone and says so in Accepted.
    """

    def __init__(
        self,
        client: Client,
        caches: Caches,
        own: HTTPCaches,
        claims: Claims,
        settings: Settings,
        events: EventRecorder,
    ) -> None:
        self._client = client
        self._caches = caches
        self._own = own
        self._claims = claims
        self._settings = settings
        self._ingresses = Child(client, INGRESSES, own.ingresses)
        self._routes = Child(client, HTTP_ROUTES, own.http_routes)
        self._middlewares = Child(client, MIDDLEWARES, own.middlewares)
        self._writer = StatusWriter(client, own.triggers, events)

    def reconcile(self, key: Key) -> float | None:
        """Bring the trigger up to date; returns the seconds after which to look again, or None.

        Raises ApiError or Unreachable when trying again may help.
        """
        obj = self._own.triggers.get(*key)
        if obj is None:
            return None  # what it made goes by the owner references
        self._find_legacy(obj)
        if release(self._client, HTTP_TRIGGERS, obj) or obj["metadata"].get("deletionTimestamp"):
            return None
        wanted: Routes | None = None

        def work() -> Verdict:
            nonlocal wanted
            trigger = readable(lambda: parse(obj))
            try:
                port, timeout = self._callee(trigger)
                self._refuse_taken(trigger)
            except SpecError:
                self._remove(key, obj, keep=())
                raise
            wanted = readable(lambda: routes.build(trigger, port, timeout, self._settings.http))
            self._ensure(key, obj, wanted)
            told = f"calls go to the function {trigger.function!r}"
            return Verdict(
                True, conditions.VALID, f"{told}; {wanted.note}" if wanted.note else told
            )

        outcome = carry_out(self._client, HTTP_TRIGGERS, obj, work, self._settings.pace)
        if outcome.accepted is not None:
            verdicts = self._verdicts(key, outcome.accepted, wanted)
            self._writer.write(obj, verdicts, {"url": wanted.url if wanted else None})
        if outcome.accepted and outcome.accepted.reason == conditions.GATEWAY_API_MISSING:
            return self._settings.pace.recheck  # nothing tells when the kind comes
        return outcome.recheck

    def _find_legacy(self, obj: Object) -> None:
        """Have the informer see the Ingress that the original made, which has none of our labels.

        A trigger with the original's finalizer is seen for the first time.
        """
        metadata = obj["metadata"]
        if not names.LEGACY_FINALIZERS.intersection(metadata.get("finalizers") or []):
            return
        with contextlib.suppress(NotFound):
            live = self._client.get(INGRESSES, metadata["namespace"], metadata["name"])
            if owned_by(live, metadata["uid"]):
                labels = {"metadata": {"uid": live["metadata"]["uid"], "labels": LABELS}}
                manager = names.FIELD_MANAGER
                self._client.patch(
                    INGRESSES, metadata["namespace"], metadata["name"], labels, manager=manager
                )

    def _callee(self, trigger: HTTPTrigger) -> tuple[int, float]:
        """The port of the function's Service, and the seconds that a call may take. Raises SpecError without them."""
        function = self._caches.functions.get(trigger.namespace, trigger.function)
        if function is None or function["metadata"].get("deletionTimestamp"):
            raise SpecError(
                conditions.FUNCTION_NOT_FOUND,
                f"spec.function-name: there is no Function {trigger.function!r} in the namespace "
                f"{trigger.namespace!r}; the trigger waits for it",
            )
        service = self._caches.services.get(trigger.namespace, trigger.function)
        if service is None or not owned_by(service, function["metadata"]["uid"]):
            raise SpecError(
                conditions.PROGRESSING,
                f"waiting for the Service of the Function {trigger.function!r}",
            )
        try:
            timeout = parse_timeout(fields.mapping(function, "spec", "").get("timeout"))
        except SpecError:
            timeout = DEFAULT_TIMEOUT  # its own status says what is wrong with it
        return service["spec"]["ports"][0]["port"], timeout

    def _refuse_taken(self, trigger: HTTPTrigger) -> None:
        """Raise SpecError where another trigger has the host and path."""
        key = (trigger.namespace, trigger.name)
        other = holder(claim(trigger, self._settings.http), self._claims.others(key, trigger.host))
        if other is not None:
            raise SpecError(
                conditions.ROUTE_TAKEN,
                f"the HTTPTrigger {other.name!r} of the namespace {other.namespace!r} has the host "
                f"{trigger.host or '*'!r} and the path {trigger.path!r} already and is older; change one of the two",
            )

    def _ensure(self, key: Key, obj: Object, wanted: Routes) -> None:
        kept = []
        for middleware in wanted.middlewares:
            kept.append(self._made(self._middlewares, MIDDLEWARES, middleware))
        if wanted.http_route is not None:
            kept.append(self._made(self._routes, HTTP_ROUTES, wanted.http_route))
        if wanted.ingress is not None:
            kept.append(self._made(self._ingresses, INGRESSES, wanted.ingress))
        # What the trigger had before goes once the new is there.
        self._remove(key, obj, keep=kept)

    def _made(self, child: Child, resource: Resource, wanted: Object) -> str:
        """Make it as wanted; returns its uid. Raises SpecError when the cluster has no such kind."""
        try:
            live = child.ensure(wanted)
        except NotFound as error:
            if not error.no_such_kind:
                raise
            raise SpecError(
                conditions.GATEWAY_API_MISSING,
                f"this cluster does not serve {resource.api_version} {resource.kind}; "
                f"{_MISSING.get(resource, 'enable it in the API server')}",
            ) from None
        return str(live["metadata"]["uid"])

    def _remove(self, key: Key, obj: Object, keep: Iterable[str]) -> None:
        """Delete what the trigger owns, but for the uids in ``keep``."""
        kept = set(keep)
        for child, store in (
            (self._ingresses, self._own.ingresses),
            (self._routes, self._own.http_routes),
            (self._middlewares, self._own.middlewares),
        ):
            for live in store.in_group(key):
                metadata = live["metadata"]
                if (
                    metadata["uid"] not in kept
                    and owned_by(live, obj["metadata"]["uid"])
                    and not metadata.get("deletionTimestamp")
                ):
                    child.delete(live)

    def _verdicts(self, key: Key, accepted: Verdict, wanted: Routes | None) -> dict[str, Verdict]:
        if wanted is None or not accepted.ok:
            told = Verdict(False, conditions.NOT_ACCEPTED, "nothing is routed: see Accepted")
            return {
                conditions.ACCEPTED: accepted,
                conditions.PROGRAMMED: self._still(key) or told,
                conditions.READY: accepted,
            }
        if wanted.http_route is not None:
            seen = programmed.http_route(self._own.http_routes.get(*key))
        else:
            seen = programmed.ingress(self._own.ingresses.get(*key))
        return {
            conditions.ACCEPTED: accepted,
            conditions.PROGRAMMED: seen,
            conditions.READY: seen,
        }

    def _still(self, key: Key) -> Verdict | None:
        """What an older spec made that is still routed; None when nothing is."""
        live = self._own.http_routes.get(*key)
        if live is not None:
            return programmed.http_route(live)
        live = self._own.ingresses.get(*key)
        return programmed.ingress(live) if live is not None else None
