"""What is the same for every kind of owner, Function or trigger."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kubeless_api import conditions, names
from kubeless_api.errors import SpecError
from kubeless_controller.observed.verdict import Verdict
from kubeless_controller.reconcile.child import LeftBehind, NotOurs, StillThere
from kubeless_controller.reconcile.refusal import refusal
from kubeless_controller.settings import Pace
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, NotFound
from kubeless_kube.resources import Resource

log = logging.getLogger(__name__)

Object = dict[str, Any]
Parsed = TypeVar("Parsed")

# What a deleted owner leaves is collected within moments.
STILL_THERE_SECONDS = 1.0
# What the controller deleted itself: the informer has it in no time.
REMOVED_SECONDS = 0.05


def release(client: Client, resource: Resource, obj: Object) -> bool:
    """Take out the finalizers of the original, which nothing else will ever remove; says whether there were any."""
    metadata = obj["metadata"]
    finalizers = metadata.get("finalizers") or []
    kept = [entry for entry in finalizers if entry not in names.LEGACY_FINALIZERS]
    if len(kept) == len(finalizers):
        return False
    with contextlib.suppress(NotFound):
        client.patch(
            resource,
            metadata["namespace"],
            metadata["name"],
            {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": kept}},
            manager=names.FIELD_MANAGER,
        )
    return True


@dataclass(frozen=True)
class Outcome:
    """``accepted`` for the status, None when there is nothing to say yet; seconds after which to look again."""

    accepted: Verdict | None
    recheck: float | None = None


def carry_out(
    client: Client, resource: Resource, obj: Object, work: Callable[[], Verdict], pace: Pace
) -> Outcome:
    """Do what an owner asks for, and say how it ended, whatever is wrong with it.

    Raises ApiError or Unreachable when trying again may help.
    """
    try:
        return Outcome(work())
    except SpecError as error:
        return Outcome(Verdict(False, error.reason, error.message))
    except LeftBehind as error:
        return Outcome(None, _remove_left(client, resource, obj, error))
    except StillThere as error:
        accepted = Verdict(False, conditions.PROGRESSING, str(error))
        return Outcome(accepted, STILL_THERE_SECONDS)
    except NotOurs as error:
        return Outcome(Verdict(False, conditions.CONFLICT, str(error)), pace.recheck)
    except ApiError as error:
        refused = refusal(error)
        if refused is None:
            raise
        return Outcome(refused, pace.recheck)


def readable(read: Callable[[], Parsed]) -> Parsed:
    """What ``read`` makes of a spec. Raises SpecError, whatever is wrong with it."""
    try:
        return read()
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


def _remove_left(client: Client, resource: Resource, obj: Object, left: LeftBehind) -> float | None:
    """Delete what an earlier owner of this name left, as the cluster's collector will, minutes later perhaps.

    Only where ``obj`` is beyond doubt the one that lives: then the other uid is of a dead one.
    Returns when to go on; raises Conflict where either changed meanwhile.
    """
    metadata = obj["metadata"]
    try:
        lives = client.get(resource, metadata["namespace"], metadata["name"])["metadata"]
    except NotFound:
        return None
    if lives["uid"] != metadata["uid"]:
        return None  # it is this one that is dead, and the informer will tell
    old = left.live["metadata"]
    with contextlib.suppress(NotFound):
        client.delete(
            left.resource,
            old["namespace"],
            old["name"],
            uid=old["uid"],
            resource_version=old["resourceVersion"],
        )
        log.info("%s %s of an earlier %s deleted", left.resource.kind, old["name"], resource.kind)
    return REMOVED_SECONDS
