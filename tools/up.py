"""Brings up a cluster with Kubeless in it.

The local cluster by default: made, filled with the images, and the chart
installed by the helm command that a user types; with ``--gateway contour`` it
gets a gateway first. With ``--cluster current`` the chart goes into the current
kube context instead, after a question.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = ROOT / "tools/cluster/cluster"
IMAGES = ROOT / "tools/images/kubeless_images"
VALUES = ROOT / "build/images.yaml"
NAMESPACE = "kubeless"
CLUSTERS = ("local", "current")
GATEWAYS = ("none", "contour")


class UpError(Exception):
    """What stands in the way, and what to do about it."""


def main() -> int:
    """Parse the command line and do it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cluster", default="local", help="`local` or `current`")
    parser.add_argument("--gateway", default="none", help="`none` or `contour`")
    parser.add_argument("--registry", default="", help="push images here and install from here")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    arguments = parser.parse_args()
    try:
        check(arguments.cluster, arguments.gateway)
        if arguments.cluster == "local":
            local(arguments.gateway)
        else:
            current(arguments.registry, arguments.yes)
    except UpError as error:
        print(f"up: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"up: failed: {shlex.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return 0


def check(cluster: str, gateway: str) -> None:
    """Refuse what is not known and what does not go together, before anything is done."""
    for name, found, known in (("CLUSTER", cluster, CLUSTERS), ("GATEWAY", gateway, GATEWAYS)):
        if found not in known:
            expected = " or ".join(map(repr, known))
            raise UpError(f"{name}: found {found!r}, expected {expected}")
    if cluster == "current" and gateway != "none":
        raise UpError(
            f"GATEWAY: found {gateway!r} with CLUSTER=current, expected none: only the local cluster "
            "gets a gateway from here; a cluster of your own has the one that you installed there"
        )


def local(gateway: str) -> dict[str, str]:
    """The local cluster with the images and the chart; returns the environment that reaches it."""
    run([CLUSTER, "up"])
    # The local cluster makes no volumes.
    options = ["--set", "kafka.persistence.enabled=false"]
    if gateway != "none":
        run([CLUSTER, "gateway", "up"])
        # Triggers that name no gateway go to this one.
        options += ["--set-json", f"http.parentRefs={json.dumps([gateway_facts()['parentRef']])}"]
    run([sys.executable, IMAGES, "build"])
    environment = local_environment()
    run([CLUSTER, "load", *image_names()])
    install(environment, options)
    return environment


def current(registry: str, yes: bool) -> None:
    """The chart into the cluster of the current kube context."""
    environment = dict(os.environ)
    for program in ("kubectl", "helm"):
        if shutil.which(program) is None:
            environment["PATH"] = f"{cluster_programs()}{os.pathsep}{environment['PATH']}"
    context = output(["kubectl", "config", "current-context"], environment)
    if not context:
        raise UpError(
            "there is no current kube context; choose one with `kubectl config use-context`"
        )
    kind, minikube = context.startswith("kind-"), context == "minikube"
    if not registry and not kind and not minikube:
        raise UpError(
            f"the nodes of {context!r} must get the images from somewhere: "
            "say `make up CLUSTER=current REGISTRY=registry.example.com/team`"
        )
    confirm(context, yes)
    run([sys.executable, IMAGES, "build"])
    options = []
    if registry:
        run([sys.executable, IMAGES, "push", registry])
        options = registry_options(registry)
    elif kind:
        run(["kind", "load", "docker-image", *image_names(), "--name", context[5:]], environment)
    else:
        for name in image_names():
            run(["minikube", "image", "load", name], environment)
    install(environment, options)


def registry_options(registry: str) -> list[str]:
    """helm's options by which all images come from this registry."""
    names = ("images.registry", "kafka.image.registry", "kafka.hooks.image.registry")
    return [part for name in names for part in ("--set", f"{name}={registry}")]


def confirm(context: str, yes: bool) -> None:
    """Ask whether this is the cluster that is meant."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UpError(f"to install into {context!r} without being asked, say YES=1")
    answer = input(f"Install Kubeless into the cluster of the context {context!r}? [y/N] ")
    if answer.strip().lower() not in ("y", "yes"):
        raise UpError("nothing was done")


def install(environment: Mapping[str, str], options: list[str]) -> None:
    """Install the chart, or upgrade it, and wait until it runs."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--filename", "-"],
        input=json.dumps(namespace).encode(),
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    # By the tags of their content: a changed image is another one, also to nodes that have the old one.
    values = ["--values", str(VALUES)]
    command = ["helm", "upgrade", "--install", "kubeless", str(ROOT / "charts/kubeless")]
    command += ["--namespace", NAMESPACE, "--wait", "--timeout", "3m", *values, *options]
    result = subprocess.run(
        command,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        print(result.stdout, file=sys.stderr)
        show_pods(environment)
        raise UpError("helm could not install the chart; what it said stands above")
    print(f"Kubeless runs in the namespace {NAMESPACE}", flush=True)


def show_pods(environment: Mapping[str, str]) -> None:
    """What became of the controller, for a person to read."""
    for command in (
        ["kubectl", "get", "pods", "--namespace", NAMESPACE, "--output", "wide"],
        ["kubectl", "get", "events", "--namespace", NAMESPACE, "--sort-by=.lastTimestamp"],
        [
            "kubectl",
            "logs",
            "--namespace",
            NAMESPACE,
            "--tail=20",
            "deployment/kubeless-controller",
        ],
    ):
        subprocess.run(command, env=dict(environment), stdout=sys.stderr, check=False)


def local_environment() -> dict[str, str]:
    """The environment in which kubectl, helm and kubeless mean the local cluster."""
    kubeconfig = output([CLUSTER, "kubeconfig"])
    here = f"{ROOT / '.venv/bin'}{os.pathsep}{cluster_programs()}"
    return {
        **os.environ,
        "KUBECONFIG": kubeconfig,
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
    }


def cluster_programs() -> str:
    """The folder of kubectl, helm and the others."""
    return output([CLUSTER, "bin"])


def image_names() -> list[str]:
    """What was built, by the references that pods will have."""
    images = yaml.safe_load(VALUES.read_text())["images"]
    return [f"{images['registry']}/{name}:{tag}" for name, tag in images["tags"].items()]


def run(command: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
    """Run a command whose output the user sees. Raises CalledProcessError."""
    subprocess.run(
        [str(part) for part in command], check=True, env=dict(environment) if environment else None
    )


def gateway_facts() -> dict[str, Any]:
    """Where the local cluster's gateway is, and what to refer to."""
    command = [str(CLUSTER), "gateway", "show"]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    )
    return found


def output(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """The last line that a command prints; '' when it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        env=dict(environment) if environment else None,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = result.stdout.strip().splitlines()
    return lines[-1] if lines and result.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
