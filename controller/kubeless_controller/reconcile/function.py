"""A Function: from its spec to its children, and from those to its status.

One pass does all, from whatever state it finds; nothing is remembered between
passes but what the informers hold.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubeless_api import conditions, names
from kubeless_api.errors import SpecError
from kubeless_api.function import DEFAULT_REPLICAS, Function, parse
from kubeless_controller.desired import children
from kubeless_controller.desired.children import Children
from kubeless_controller.observed import rollout, status, trim
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.child import Child, NotOurs, StillThere, belongs
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Conflict, Forbidden, NotFound
from kubeless_kube.informer import Informer
from kubeless_kube.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SERVICES,
    Resource,
)

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]

FUNCTIONS = Resource(names.GROUP, names.VERSION, names.FUNCTION_PLURAL, names.FUNCTION_KIND)
OWN = f"{names.LABEL_CREATED_BY}={names.CREATED_BY},{names.LABEL_FUNCTION}"

# What keeps a Function from being built lies outside of what is watched (an object that is not ours, a
# quota, an admission check): look again after this many seconds.
RECHECK_SECONDS = 15.0
# What a deleted Function leaves is collected within moments.
STILL_THERE_SECONDS = 1.0


@dataclass(frozen=True)
class Caches:
    """The informers that this kind stands on."""

    functions: Informer
    config_maps: Informer
    deployments: Informer
    services: Informer
    replica_sets: Informer
    pods: Informer

    def all(self) -> tuple[Informer, ...]:
        """Every informer."""
        return (
            self.functions,
            self.config_maps,
            self.deployments,
            self.services,
            self.replica_sets,
            self.pods,
        )


def caches(client: Client) -> Caches:
    """Informers over all namespaces, not started."""

    def informer(
        resource: Resource, trimmed: Callable[[Object], Object], **options: Any
    ) -> Informer:
        return Informer(
            client,
            resource,
            labels=OWN,
            trim=trimmed,
            group_of=function_of,
            **options,
        )

    return Caches(
        functions=Informer(client, FUNCTIONS),
        config_maps=informer(CONFIGMAPS, trim.child, metadata_only=True),
        deployments=informer(DEPLOYMENTS, trim.child),
        services=informer(SERVICES, trim.child),
        replica_sets=informer(REPLICASETS, trim.replica_set),
        pods=informer(PODS, trim.pod),
    )


def function_of(obj: Object) -> Key:
    """The key of the Function whose child this is, by its labels."""
    metadata = obj["metadata"]
    return metadata["namespace"], metadata["labels"].get(names.LABEL_FUNCTION, "")


class FunctionReconciler:
    """Brings one Function at a time to where its spec says.

    * A spec that cannot be built leaves what runs alone and says so in Accepted.
    * Whatever goes wrong ends in the status or in a retry, never in both being silent.
    * Status is written once a pass, and only when it changed.
    """

    def __init__(
        self,
        client: Client,
        caches: Caches,
        settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._caches = caches
        self._settings = settings
        self._now = now
        # Immutable, and named by its content: what is in it need not be read.
        self._config_maps = Child(client, CONFIGMAPS, caches.config_maps, compared=("metadata",))
        self._deployments = Child(client, DEPLOYMENTS, caches.deployments)
        self._services = Child(client, SERVICES, caches.services)
        caches.deployments.on_change(self._forget_gone)
        caches.services.on_change(self._forget_gone)

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
        except StillThere as error:
            accepted = Verdict(False, conditions.PROGRESSING, str(error))
            recheck = STILL_THERE_SECONDS
        except NotOurs as error:
            accepted = Verdict(False, conditions.CONFLICT, str(error))
            recheck = RECHECK_SECONDS
        except ApiError as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            accepted = refusal
            recheck = RECHECK_SECONDS
        self._write_status(obj, accepted, wanted)
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
            log.exception("Function %s/%s", obj["metadata"]["namespace"], obj["metadata"]["name"])
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
            self._with_wish(wanted),
            on_create={"replicas": wanted.replicas},
        )
        self._scale(function, wanted, deployment)
        self._collect(function, wanted)

    def _with_wish(self, wanted: Children) -> Object:
        """The Deployment with the replicas that the Function asks for, as an annotation.

        It tells a change of the wish, which scales, from a scaling by others, which stays.
        """
        deployment = wanted.deployment
        metadata = deployment["metadata"]
        annotations = {**metadata["annotations"]}
        live = self._caches.deployments.get(metadata["namespace"], metadata["name"])
        before = ((live or {}).get("metadata", {}).get("annotations") or {}).get(
            names.ANNOTATION_REPLICAS
        )
        # Until the scaling is done the annotation keeps the old wish: a crash in between is then made good.
        annotations[names.ANNOTATION_REPLICAS] = before or str(wanted.replicas)
        return {**deployment, "metadata": {**metadata, "annotations": annotations}}

    def _scale(self, function: Function, wanted: Children, deployment: Object) -> None:
        wish = str(wanted.replicas)
        annotations = deployment["metadata"].get("annotations") or {}
        if annotations.get(names.ANNOTATION_REPLICAS) == wish:
            return
        if deployment["metadata"].get("deletionTimestamp"):
            return
        if deployment["spec"].get("replicas") != wanted.replicas:
            self._client.patch(
                DEPLOYMENTS,
                function.namespace,
                function.name,
                {"spec": {"replicas": wanted.replicas}},
                subresource="scale",
                manager=names.SCALE_FIELD_MANAGER,
            )
            log.info(
                "Deployment %s/%s: scaled to %s", function.namespace, function.name, wanted.replicas
            )
        body = self._with_wish(wanted)
        body["metadata"]["annotations"][names.ANNOTATION_REPLICAS] = wish
        body["metadata"]["uid"] = deployment["metadata"]["uid"]
        self._caches.deployments.remember(
            self._client.apply(DEPLOYMENTS, body, manager=names.FIELD_MANAGER)
        )

    def _collect(self, function: Function, wanted: Children) -> None:
        """Delete the ConfigMaps of older sources that no ReplicaSet needs any more."""
        needed = {wanted.config_map["metadata"]["name"]} if wanted.config_map else set()
        key = (function.namespace, function.name)
        for replica_set in self._caches.replica_sets.in_group(key):
            needed.update(replica_set["configMaps"])
        owner = {"metadata": {"ownerReferences": [{"uid": function.uid}]}}
        for config_map in self._caches.config_maps.in_group(key):
            metadata = config_map["metadata"]
            if (
                metadata["name"] not in needed
                and belongs(config_map, owner)
                and not metadata.get("deletionTimestamp")
                and self._is_settled(function)
            ):
                self._config_maps.delete(config_map)

    def _is_settled(self, function: Function) -> bool:
        """Say whether the Deployment's newest ReplicaSet is in the cache.

        Before, a ReplicaSet that was just made may need what none in the cache needs.
        """
        deployment = self._caches.deployments.get(function.namespace, function.name)
        if deployment is None:
            return False
        seen = (deployment.get("status") or {}).get("observedGeneration", 0)
        if seen < deployment["metadata"].get("generation", 0):
            return False
        sets = self._caches.replica_sets.in_group((function.namespace, function.name))
        return rollout.newest_replica_set(deployment, sets) is not None

    def _write_status(self, obj: Object, accepted: Verdict, wanted: Children | None) -> None:
        metadata = obj["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        deployment = self._caches.deployments.get(namespace, name)
        if deployment is not None and not belongs(
            deployment, {"metadata": {"ownerReferences": [{"uid": metadata["uid"]}]}}
        ):
            deployment = None
        available = rollout.available(deployment)
        if accepted.ok:
            ready = rollout.ready(deployment, self._new_pods(deployment))
        else:
            ready = Verdict(False, accepted.reason, accepted.message)
        live = obj.get("status") or {}
        generation = metadata.get("generation", 0)
        verdicts = {
            conditions.ACCEPTED: accepted,
            conditions.AVAILABLE: available,
            conditions.READY: ready,
        }
        fresh: Object = {
            "observedGeneration": generation,
            "conditions": status.conditions(
                verdicts,
                live.get("conditions") or [],
                generation,
                self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            ),
            "replicas": ((deployment or {}).get("status") or {}).get("replicas", 0),
            "selector": ",".join(
                f"{key}={value}" for key, value in sorted(names.selector_labels(name).items())
            ),
        }
        if wanted is not None:
            fresh["url"] = wanted.url
            # None takes it out: an image of the user's own has no source that we know.
            fresh["sourceChecksum"] = wanted.source_checksum or None
        if not status.differs(fresh, live):
            return
        try:
            written = self._client.patch(
                FUNCTIONS,
                namespace,
                name,
                {"metadata": {"uid": metadata["uid"]}, "status": fresh},
                subresource="status",
                manager=names.FIELD_MANAGER,
            )
        except NotFound:
            return  # deleted meanwhile
        self._caches.functions.remember(written)
        log.info(
            "Function %s/%s: Ready=%s %s: %s",
            namespace,
            name,
            ready.ok,
            ready.reason,
            ready.message.partition("\n")[0],
        )

    def _new_pods(self, deployment: Object | None) -> list[Object]:
        """The pods of the Deployment's newest ReplicaSet."""
        if deployment is None:
            return []
        key = (deployment["metadata"]["namespace"], deployment["metadata"]["name"])
        newest = rollout.newest_replica_set(deployment, self._caches.replica_sets.in_group(key))
        if newest is None:
            return []
        template = newest["metadata"]["labels"].get(rollout.POD_TEMPLATE_HASH)
        return [
            pod
            for pod in self._caches.pods.in_group(key)
            if pod["metadata"]["labels"].get(rollout.POD_TEMPLATE_HASH) == template
        ]

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

    def _forget_gone(self, obj: Object) -> None:
        metadata = obj["metadata"]
        for cache, child in (
            (self._caches.deployments, self._deployments),
            (self._caches.services, self._services),
        ):
            if cache.get(metadata["namespace"], metadata["name"]) is None:
                child.forget(metadata["uid"])


def _accepted(function: Function, wanted: Children) -> str:
    runtime = wanted.runtime
    told = ["the function can be built"]
    if runtime is not None and runtime.id != function.runtime:
        told.append(f"runtime {function.runtime} is run by {runtime.id}")
    if function.replicas not in (wanted.replicas, DEFAULT_REPLICAS):
        told.append(
            f"spec.deployment.spec.replicas ({wanted.replicas}) comes before spec.replicas "
            f"({function.replicas})"
        )
    return "; ".join(told)


def _refusal(error: ApiError) -> Verdict | None:
    """The API server's no, as a condition; None when trying again is all there is to do."""
    if isinstance(error, Conflict):
        return None
    if isinstance(error, Forbidden) and "exceeded quota" in error.message:
        return Verdict(False, conditions.QUOTA_EXCEEDED, error.message)
    if isinstance(error, Forbidden) and "is being terminated" in error.message:
        return Verdict(False, conditions.REJECTED, error.message)
    # 500: an admission webhook that does not answer, say; the message is the server's own.
    if error.status in (400, 403, 422, 500):
        return Verdict(
            False,
            conditions.REJECTED,
            f"the API server refuses what this Function asks for: {error.message}",
        )
    return None
