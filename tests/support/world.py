"""Whether the cluster is what the specs of its Functions say, no more and no less."""

from __future__ import annotations

from typing import Any

from kubeless_api.errors import SpecError
from kubeless_api.function import parse
from kubeless_api.runtimes import Runtime, RuntimeTable
from kubeless_controller.desired.children import Children, build
from kubeless_controller.observed.drift import drifted
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_controller.settings import Settings
from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, REPLICASETS, SERVICES
from support.controller import settings

Object = dict[str, Any]
CHILDREN = (SERVICES, DEPLOYMENTS, AUTOSCALERS)


def installed() -> Settings:
    """The settings of the tests' controllers, as far as what is built depends on them."""
    table = RuntimeTable(
        Runtime(
            row["id"],
            row["image"],
            row["suffix"],
            dependency_file=row["dependencyFile"],
            install_image=row["installImage"],
            aliases=tuple(row["aliases"]),
        )
        for row in settings()["runtimes"]
    )
    return Settings(runtimes=table, prepare_image=settings()["prepareImage"])


def wanted(function: Object) -> Children:
    """What a Function wants, by the controller's own rules. Raises SpecError."""
    return build(parse(function), installed())


def difference(client: Client, namespace: str) -> str:
    """The first thing that is not as the specs say; '' when all is.

    What deleted Functions left, and what those that are being deleted have, is the cluster's own garbage
    collector's to take away, which after an outage takes minutes: it is not compared.
    """
    functions = [
        function
        for function in client.list(FUNCTIONS, namespace)["items"]
        if not function["metadata"].get("deletionTimestamp")
    ]
    # First what costs one request: looking takes as much of a machine as a part of the work.
    for function in functions:
        if not accepted(function):
            said = (function.get("status") or {}).get("conditions", [])[:1]
            return f"{function['metadata']['name']} is not built: {said}"
    live = {
        (resource.kind, item["metadata"]["name"]): item
        for resource in (*CHILDREN, CONFIGMAPS)
        for item in client.list(resource, namespace, labels="created-by=kubeless,function")["items"]
    }
    known = set()
    uids = {function["metadata"]["uid"] for function in functions}
    garbage = {key for key, item in live.items() if owner(item) and owner(item) not in uids}
    for function in functions:
        name, uid = function["metadata"]["name"], function["metadata"]["uid"]
        try:
            children = wanted(function)
        except SpecError as error:
            return f"{name} is Accepted, and yet: {error}"
        made = (children.service, children.deployment, children.config_map, children.autoscaler)
        for child in made:
            if child is None:
                continue
            key = (child["kind"], child["metadata"]["name"])
            known.add(key)
            found = live.get(key)
            if found is None:
                return f"{key} is missing"
            if owner(found) != uid:
                return f"{key} belongs to {owner(found)}, not to {uid}"
            path = drifted(
                {part: child[part] for part in ("metadata", "spec") if part in child}, found
            )
            if path:
                return f"{key} is wrong at {path}"
        if not children.autoscaler:
            replicas = live["Deployment", name]["spec"]["replicas"]
            if replicas != children.replicas:
                return f"{name} has {replicas} replicas instead of {children.replicas}"
    used = {
        volume["configMap"]["name"]
        for item in client.list(REPLICASETS, namespace)["items"]
        for volume in item["spec"]["template"]["spec"].get("volumes", [])
        if "configMap" in volume
    }
    for kind, name in live.keys() - known - garbage:
        if kind != "ConfigMap" or name not in used:
            return f"{kind} {name} belongs to nothing"
    return ""


def accepted(function: Object) -> bool:
    """Say whether the Function's current generation is Accepted."""
    return any(
        entry["type"] == "Accepted"
        and entry["status"] == "True"
        and entry["observedGeneration"] == function["metadata"]["generation"]
        for entry in (function.get("status") or {}).get("conditions", [])
    )


def owner(obj: Object) -> str:
    """The uid of an object's controller; '' without one."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            uid: str = reference["uid"]
            return uid
    return ""
