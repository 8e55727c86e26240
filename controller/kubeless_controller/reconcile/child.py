"""Keeping one kind of child as it should be.

A child is made by a create, which fails when the name is taken, and changed by
server-side apply from then on. It is written only when something differs.
"""

from __future__ import annotations

import logging
from typing import Any

from kubeless_api import names
from kubeless_controller.desired.merge import merged
from kubeless_controller.observed.drift import drifted
from kubeless_kube import ownership
from kubeless_kube.client import Client
from kubeless_kube.errors import Conflict, Invalid, NotFound
from kubeless_kube.namespaced import Store
from kubeless_kube.resources import Resource

log = logging.getLogger(__name__)

Object = dict[str, Any]


# Updates that are ours: our own creates, and what was left when somebody emptied managedFields.
OWN_MANAGERS = (names.FIELD_MANAGER, names.BEFORE_FIRST_APPLY)


class NotOurs(Exception):
    """An object of this name is there and is not this owner's; it is not touched."""

    def __init__(self, resource: Resource, live: Object, owner: str, remedy: str = "") -> None:
        name = live["metadata"]["name"]
        remedy = remedy or f"delete or rename it, or give the {owner} another name"
        super().__init__(
            f"a {resource.kind} named {name!r} exists already and does not belong to this {owner}; "
            f"{remedy} (kubectl get {resource.kind.lower()} {name} shows it)"
        )
        self.live = live


class StillThere(Exception):
    """The name is still held by an object that is on its way out: wait."""

    def __init__(self, resource: Resource, name: str, owner: str) -> None:
        super().__init__(
            f"waiting for the {resource.kind} {name!r} of a {owner} that was deleted to be gone"
        )


class LeftBehind(StillThere):
    """The name is held by what an owner of the same name and another uid had, and nobody has deleted."""

    def __init__(self, resource: Resource, live: Object, owner: str) -> None:
        super().__init__(resource, live["metadata"]["name"], owner)
        self.resource = resource
        self.live = live


class Child:
    """All children of one kind, through the informer that follows them.

    * An object without a reference to the owner's uid is never written.
    * What a deleted owner of the same name left is not taken over: its fields and pods are not ours.
    * Nothing is written when the annotation and the live object say what is wanted.
    * An apply that did not help is not repeated: what the server makes of it is what there will be.

    ``compared`` are the parts in which a live object can differ from the wanted one.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        informer: Store,
        compared: tuple[str, ...] = ("metadata", "spec"),
    ) -> None:
        self._client = client
        self._resource = resource
        self._informer = informer
        self._compared = compared
        # uid -> (hash asked for, state of the spec then): applied, and yet the server shows something else.
        self._normalised: dict[str, tuple[str, str]] = {}
        informer.on_change(self._forget_gone)

    def ensure(self, wanted: Object, *, on_create: Object | None = None) -> Object:
        """Make the child as wanted and return it as it is now; ``on_create`` is laid over it when it is made.

        Raises NotOurs, StillThere, LeftBehind, and what the client raises.
        """
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        live = self._informer.get(namespace, name)
        if live is None:
            try:
                return self._create(wanted, on_create)
            except Conflict:
                # Taken: by something without our labels, or by ours that the informer has not seen yet.
                live = self._client.get(self._resource, namespace, name)
        owner = wanted["metadata"]["ownerReferences"][0]
        if live["metadata"].get("deletionTimestamp"):
            raise StillThere(self._resource, name, owner["kind"])
        if not owned_by(live, owner["uid"]):
            if _belonged(live, owner):
                raise LeftBehind(self._resource, live, owner["kind"])
            raise NotOurs(self._resource, live, owner["kind"])
        difference = self._difference(wanted, live)
        return self._apply(wanted, live, difference) if difference else live

    def _create(self, wanted: Object, on_create: Object | None) -> Object:
        body = merged(wanted, on_create) if on_create else wanted
        created = self._client.create(self._resource, body, manager=names.FIELD_MANAGER)
        log.info("%s created", _name(self._resource, wanted))
        self._informer.remember(created)
        return created

    def _difference(self, wanted: Object, live: Object) -> str:
        asked = wanted["metadata"]["annotations"].get(names.ANNOTATION_APPLIED, "")
        annotations = live["metadata"].get("annotations") or {}
        if annotations.get(names.ANNOTATION_APPLIED, "") != asked:
            return "a change of what is wanted"
        if ownership.needs_upgrade(live, [names.BEFORE_FIRST_APPLY]):
            return "fields that nobody would take out"
        path = self._drift(wanted, live)
        if path and self._normalised.get(live["metadata"]["uid"]) == (asked, _state(live)):
            return ""
        return path

    def _drift(self, wanted: Object, live: Object) -> str:
        return drifted({part: wanted[part] for part in self._compared}, live)

    def _apply(self, wanted: Object, live: Object, difference: str) -> Object:
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        if names.ANNOTATION_APPLIED not in (live["metadata"].get("annotations") or {}):
            # Ours, and yet never applied: the original made it, and whatever it set is ours to take out.
            self._take_over(namespace, name, everything=True)
        elif ownership.needs_upgrade(live, OWN_MANAGERS):
            self._take_over(namespace, name)
        # With the uid an apply cannot make the object anew: when it is gone meanwhile, that is a conflict.
        body = {**wanted, "metadata": {**wanted["metadata"], "uid": live["metadata"]["uid"]}}
        try:
            applied = self._client.apply(self._resource, body, manager=names.FIELD_MANAGER)
        except Invalid:
            # Two that exclude each other, ours and somebody's (two kinds of probe, two sources of a volume):
            # the whole object becomes ours, so that the other one goes.
            if not self._take_over(namespace, name, everything=True):
                raise
            applied = self._client.apply(self._resource, body, manager=names.FIELD_MANAGER)
        log.info("%s applied, for %s", _name(self._resource, wanted), difference)
        self._informer.remember(applied)
        metadata = applied["metadata"]
        if self._drift(wanted, applied):
            asked = wanted["metadata"]["annotations"].get(names.ANNOTATION_APPLIED, "")
            self._normalised[metadata["uid"]] = (asked, _state(applied))
        else:
            self._normalised.pop(metadata["uid"], None)
        return applied

    def _take_over(self, namespace: str, name: str, *, everything: bool = False) -> bool:
        """Make fields that updates set those of our apply; says whether there were any.

        Only our own, or with ``everything`` whoever's; never those that others applied.
        """
        full = self._client.get(self._resource, namespace, name)
        managers = set(OWN_MANAGERS)
        if everything:
            managers |= ownership.updaters(full)
        if not ownership.needs_upgrade(full, managers):
            return False
        ownership.upgrade(
            self._client,
            self._resource,
            full,
            managers,
            names.FIELD_MANAGER,
            keep=_without_scaling,
        )
        return True

    def _forget_gone(self, obj: Object) -> None:
        metadata = obj["metadata"]
        if self._informer.get(metadata["namespace"], metadata["name"]) is None:
            self._normalised.pop(metadata["uid"], None)

    def delete(self, obj: Object) -> None:
        """Delete a child if it is still the one that was seen; one that is gone is fine."""
        metadata = obj["metadata"]
        try:
            self._client.delete(
                self._resource, metadata["namespace"], metadata["name"], uid=metadata["uid"]
            )
        except NotFound:
            return
        log.info("%s deleted", _name(self._resource, obj))


def owned_by(live: Object, uid: str) -> bool:
    """Say whether the live object has a reference to the owner of this uid."""
    references = live["metadata"].get("ownerReferences") or []
    return any(reference.get("uid") == uid for reference in references)


def _belonged(live: Object, owner: Object) -> bool:
    """Say whether the live object is that of an earlier owner of the same kind and name."""
    return any(
        reference.get("kind") == owner["kind"]
        and reference.get("name") == owner["name"]
        and str(reference.get("apiVersion", "")).partition("/")[0] == names.GROUP
        for reference in live["metadata"].get("ownerReferences") or []
    )


def _state(obj: Object) -> str:
    """What changes with the spec, and where the kind has it not with every status."""
    metadata = obj["metadata"]
    return str(metadata.get("generation") or metadata["resourceVersion"])


def _without_scaling(fields: dict[str, Any]) -> None:
    """Leave the replicas, and what says who wished for them, to nobody of ours: no apply has them."""
    (fields.get("f:spec") or {}).pop("f:replicas", None)
    annotations = (fields.get("f:metadata") or {}).get("f:annotations") or {}
    annotations.pop(f"f:{names.ANNOTATION_REPLICAS}", None)


def _name(resource: Resource, obj: Object) -> str:
    metadata = obj["metadata"]
    return f"{resource.kind} {metadata['name']}"
