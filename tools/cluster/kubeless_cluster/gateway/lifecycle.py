"""Up and down, and what is there.

`up` applies everything and waits; what is right already stays untouched. `down`
removes all of it, the definitions and thereby all routes included, by whichever version
they came.
"""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from typing import Any

from .. import command, health, images
from ..binaries import MODULE, Binaries
from ..errors import ClusterError
from ..health import Health
from ..instance import Instance
from ..lock import locked
from ..probe import Api
from ..progress import Durations, say, seconds, step
from ..waiting import wait
from . import certificates, objects
from .programs import Programs
from .workloads import CLASS, NAMESPACE

# Seconds for one kind of object to be gone.
PATIENCE = 240
TURN = 20
"""Seconds that one deletion is waited for before it is asked for again."""
KINDS = ("gatewayclasses", "gateways", "httproutes")


def require_up(instance: Instance) -> Api:
    """The API; ClusterError when nobody answers there."""
    try:
        api = Api(instance)
        if api.ask("/readyz").ok:
            return api
    except ClusterError:
        pass  # no certificates: there is no cluster
    raise ClusterError(f"the cluster is not up: run `{MODULE / 'cluster'} up`")


def up(instance: Instance, binaries: Binaries, programs: Programs) -> None:
    """Make the gateway whole and wait until it takes traffic."""
    api = require_up(instance)
    with locked(instance.state, "another cluster command"):
        begin = time.monotonic()
        was_whole = _whole(api)
        durations = Durations(instance.state / "durations.json")
        with step("the gateway's certificates and images", durations):
            certificates.ensure(instance)
            own = programs.images()
            images.ensure_own(images.Store(instance.node, binaries), own)
        if not _has_definitions(api, programs):
            with step("definitions", durations):
                _define(instance, binaries, programs)
        with step("Contour and Envoy", durations):
            names = (own[0].name, own[1].name)
            pairs = {name: _pair(instance, name) for name in ("contour", "envoy", "listener")}
            for path, wanted in objects.objects(names, str(instance.node.address), pairs):
                api.apply(path, wanted)
            explain = partial(_explain, instance, binaries)
            wait("the gateway to take traffic", partial(_whole, api), explain)
        took = seconds(time.monotonic() - begin)
        say(f"the gateway is up ({'looked for' if was_whole else 'after'} {took})")
        for name, value in describe(instance).items():
            say(f"  {name:<13} {value}")


def down(instance: Instance, binaries: Binaries) -> None:
    """Remove the gateway, and with its definitions every route in the cluster."""
    api = require_up(instance)
    with locked(instance.state, "another cluster command"):
        if not is_there(api):
            say("nothing to remove: there is no gateway")
            return
        begin = time.monotonic()
        durations = Durations(instance.state / "durations.json")
        # What serves goes first, its pods too, since Contour would write into what is being
        # removed; the namespace last, so that a `down` that was interrupted is taken up again.
        for label, kind, names in (
            (
                "what serves",
                "deployment,daemonset,replicaset,pod",
                ["--all", f"--namespace={NAMESPACE}"],
            ),
            ("definitions, and routes with them", "customresourcedefinition", _definitions(api)),
            ("roles", "clusterrole,clusterrolebinding", ["contour"]),
            ("the class", "ingressclass", [CLASS]),
            ("the namespace", "namespace", [NAMESPACE]),
        ):
            if names:
                with step(f"removing {label}", durations):
                    _delete(instance, binaries, kind, *names)
        shutil.rmtree(certificates.folder(instance), ignore_errors=True)
        say(f"removed the gateway after {seconds(time.monotonic() - begin)}")


def _definitions(api: Api) -> list[str]:
    """Names of the definitions that a gateway of any version brought."""
    found = api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions") or {}
    groups = ("gateway.networking.k8s.io", "projectcontour.io")
    return [d["metadata"]["name"] for d in found.get("items", []) if d["spec"]["group"] in groups]


def is_there(api: Api) -> bool:
    """Whether the cluster has a gateway, in whatever state."""
    return api.ask(objects.NAMESPACE_PATH).ok


def describe(instance: Instance) -> dict[str, str]:
    """What one needs to use it."""
    address = instance.node.address
    return {
        "http": f"http://{address}",
        "https": f"https://{address}",
        "ca": str(certificates.authority(instance)),
        "hosts": " ".join(certificates.HOSTS),
        "gateway": f"{NAMESPACE}/{objects.GATEWAY}",
        "ingress class": CLASS,
    }


def show(instance: Instance) -> str:
    """The same for programs, as JSON; ClusterError when there is no gateway."""
    if not is_there(require_up(instance)):
        raise ClusterError(f"there is no gateway: run `{MODULE / 'cluster'} gateway up`")
    return json.dumps(
        {
            "address": str(instance.node.address),
            "ca": str(certificates.authority(instance)),
            "hosts": list(certificates.HOSTS),
            "parentRef": {"namespace": NAMESPACE, "name": objects.GATEWAY},
            "ingressClassName": CLASS,
        },
        indent=2,
    )


def look(instance: Instance) -> list[Health]:
    """The gateway's parts as `status` shows them; none when there is no gateway."""
    try:
        api = require_up(instance)
    except ClusterError:
        return []
    if not is_there(api):
        return []
    parts = {
        "contour": health.deployment_is_settled(api.get(objects.DEPLOYMENT_PATH)),
        "envoy": health.daemon_set_is_settled(api.get(objects.DAEMON_SET_PATH)),
        "gateway": health.condition(api.get(objects.GATEWAY_PATH), "Programmed"),
    }
    return [Health(name, "up" if fine else "not available") for name, fine in parts.items()]


def _whole(api: Api) -> bool:
    return (
        health.deployment_is_settled(api.get(objects.DEPLOYMENT_PATH))
        and health.daemon_set_is_settled(api.get(objects.DAEMON_SET_PATH))
        and _programmed(api.get(objects.GATEWAY_PATH))
    )


def _programmed(gateway: dict[str, Any] | None) -> bool:
    """Whether Contour has taken this generation of the Gateway."""
    if not gateway or not health.condition(gateway, "Programmed"):
        return False
    generation = gateway["metadata"]["generation"]
    return all(c["observedGeneration"] == generation for c in gateway["status"]["conditions"])


def _serves(api: Api, kind: str) -> bool:
    return api.ask(f"{objects.API}/{kind}").ok


def _has_definitions(api: Api, programs: Programs) -> bool:
    namespace = api.get(objects.NAMESPACE_PATH) or {}
    known = namespace.get("metadata", {}).get("annotations", {}).get(objects.DEFINITIONS)
    return known == programs.key and all(_serves(api, kind) for kind in KINDS)


def _define(instance: Instance, binaries: Binaries, programs: Programs) -> None:
    """Apply the definitions, wait until they are served, and write down that they are there."""
    api = Api(instance)
    api.apply(*objects.namespace())
    _kubectl(
        instance, binaries, "apply", "--server-side", "--force-conflicts",
        "--field-manager=kubeless-cluster", f"--filename={programs.definitions}",
    )  # fmt: skip
    for kind in KINDS:
        wait(f"the API server to serve {kind}", partial(_serves, api, kind))
    api.apply(*objects.namespace(programs.key))


def _pair(instance: Instance, name: str) -> objects.KeyPair:
    authority = "gateway-ca" if name == "listener" else "control-ca"
    files = (f"{authority}.crt", f"{name}.crt", f"{name}.key")
    return objects.KeyPair(*(certificates.read(instance, file) for file in files))


def _kubectl(instance: Instance, binaries: Binaries, *words: str) -> str:
    config = f"--kubeconfig={instance.kubeconfig}"
    return command.output([binaries.path("kubectl"), config, *words])


def _delete(instance: Instance, binaries: Binaries, kind: str, *names: str) -> None:
    """Delete and wait until it is gone; ClusterError that tells what holds it up."""
    end = time.monotonic() + PATIENCE
    words = ("delete", "--ignore-not-found", f"--timeout={TURN}s", kind, *names)
    try:
        while True:
            try:
                _kubectl(instance, binaries, *words)
                return
            except ClusterError:
                if time.monotonic() > end:
                    raise
            # The API server has been seen to leave a definition half deleted: a change has it look again.
            config = f"--kubeconfig={instance.kubeconfig}"
            note = f"kubeless.io/deleted-again={time.monotonic():.0f}"
            again = (binaries.path("kubectl"), config, "annotate", "--overwrite", kind)
            for name in names:
                command.succeeds([*again, name, note])
    except ClusterError as error:
        raise ClusterError("\n".join([str(error), *_explain(instance, binaries)])) from error


def _explain(instance: Instance, binaries: Binaries) -> list[str]:
    """What the pods say, for a person to read."""
    config = f"--kubeconfig={instance.kubeconfig}"
    kubectl = (binaries.path("kubectl"), config, f"--namespace={NAMESPACE}")
    lines: list[str] = []
    conditions = "{range .status.conditions[*]}{.type}={.status} {.message}{'\\n'}{end}"
    for words in (
        ("get", "namespace", NAMESPACE, f"--output=jsonpath={conditions}"),
        ("get", "pods", "--output=wide"),
        ("get", "events", "--sort-by=.lastTimestamp"),
        ("logs", "--tail=15", "deployment/contour"),
        ("logs", "--tail=15", "daemonset/envoy", "--all-containers"),
    ):
        done = command.run([*kubectl, *words], check=False)
        lines += (done.stdout or done.stderr).decode(errors="replace").strip().splitlines()[-15:]
    return lines
