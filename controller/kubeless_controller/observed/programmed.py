"""Whether a gateway has taken what was made for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubeless_api import conditions
from kubeless_controller.observed.verdict import Verdict

Object = Mapping[str, Any]

# Conditions of a route's parent; what is not there yet is not False.
_ASKED = ("Accepted", "ResolvedRefs")


def ingress(live: Object | None) -> Verdict:
    """Say whether the Ingress has an address, which its controller writes once it serves it."""
    if live is None:
        return Verdict(False, conditions.PENDING, "the Ingress is being made")
    balancer = (live.get("status") or {}).get("loadBalancer") or {}
    points = [
        str(entry.get("hostname") or entry.get("ip") or "")
        for entry in balancer.get("ingress") or []
    ]
    if points:
        return Verdict(True, conditions.ROUTED, f"served at {', '.join(points)}")
    named = (live.get("spec") or {}).get("ingressClassName")
    which = f"of the class {named!r}" if named else "of the cluster's default class"
    return Verdict(
        False,
        conditions.PENDING,
        f"no controller {which} has taken the Ingress yet (kubectl get ingressclass lists the classes)",
    )


def http_route(live: Object | None) -> Verdict:
    """Say whether every Gateway that the route names has taken it."""
    if live is None:
        return Verdict(False, conditions.PENDING, "the HTTPRoute is being made")
    parents: Sequence[Object] = (live.get("status") or {}).get("parents") or []
    generation = live["metadata"].get("generation", 0)
    waiting = []
    for wanted in live["spec"].get("parentRefs") or []:
        name = _name(wanted, live)
        told = [one for one in parents if _name(one.get("parentRef") or {}, live) == name]
        found = {
            condition["type"]: condition
            for one in told
            for condition in one.get("conditions") or []
            if condition.get("observedGeneration", generation) >= generation
        }
        for kind in _ASKED:
            condition = found.get(kind)
            if condition is not None and condition.get("status") == "False":
                return Verdict(
                    False,
                    conditions.REFUSED_BY_GATEWAY,
                    f"Gateway {name}: {condition.get('reason')}: {condition.get('message')}",
                )
        if any((found.get(kind) or {}).get("status") != "True" for kind in _ASKED):
            waiting.append(name)
    if waiting:
        return Verdict(
            False,
            conditions.PENDING,
            f"the Gateway {', '.join(waiting)} has not taken the HTTPRoute yet, or there is none of that name",
        )
    return Verdict(True, conditions.ROUTED, "every Gateway that it names has taken the HTTPRoute")


def _name(reference: Object, route: Object) -> str:
    """namespace/name, and the section where one is named."""
    namespace = reference.get("namespace") or route["metadata"].get("namespace", "")
    section = reference.get("sectionName")
    return f"{namespace}/{reference.get('name')}" + (f":{section}" if section else "")
