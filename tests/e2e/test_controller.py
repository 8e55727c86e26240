"""The controller as it is installed: two replicas, the rights that the chart gives, an upgrade under load."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS, LEASES, NAMESPACES, PODS, Resource
from support.calls import address, call
from support.control_plane import ROOT, programs
from support.functions import manifest
from support.load import Load
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
Kubectl = Callable[..., subprocess.CompletedProcess[str]]

RELEASE = "kubeless"
# The chart as it was before: upgrades start from there.
PREVIOUS = "fe1122779eaf127720f4ae1cfbf70053ff0de719"
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")


def up() -> None:
    """This clone's chart, with its default values."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools/up.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def helm(cluster: dict[str, str], chart: Path, *options: str | Path) -> None:
    command = [programs() / "helm", "upgrade", "--install", RELEASE, chart]
    command += ["--namespace", RELEASE, "--wait", "--timeout", "3m", *options]
    done = subprocess.run(command, env=cluster, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def leader(client: Client) -> str:
    """The name of the pod that holds the lease; '' while none does."""
    lease = client.get(LEASES, RELEASE, "kubeless-controller")
    holder: str = lease["spec"].get("holderIdentity") or ""
    return holder.partition("_")[0]


def controllers(client: Client) -> list[str]:
    labels = "app.kubernetes.io/component=controller"
    return [item["metadata"]["name"] for item in client.list(PODS, RELEASE, labels=labels)["items"]]


def test_a_second_replica_takes_over_when_the_leader_goes(
    client: Client, deploy: Deploy, condition: Condition, cluster: dict[str, str]
) -> None:
    first = wait_for(lambda: leader(client), "a leader")
    assert len(controllers(client)) >= 2
    client.delete(PODS, RELEASE, first)
    deploy()
    assert condition("hello", "Ready", "True")
    second = leader(client)
    assert second not in ("", first)
    wait_for(lambda: first not in controllers(client), "the first one is gone", 40)


def test_kubectl_describe_tells_what_happened(
    namespace: str, deploy: Deploy, condition: Condition, kubectl: Kubectl
) -> None:
    deploy(function="def handler(:\n")
    condition("hello", "Ready", "LoadFailed")
    deploy()
    condition("hello", "Ready", "True")
    told = wait_for(
        lambda: (
            said
            if "Serving" in (said := kubectl("describe", "fn/hello", "-n", namespace).stdout)
            and "Normal   Ready" in said
            else ""
        ),
        "the events",
    )
    assert "Warning  LoadFailed" in told
    assert "SyntaxError in hello.py" in told


@pytest.fixture
def other(client: Client) -> Iterator[str]:
    """A second namespace."""
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    client.create(NAMESPACES, {"metadata": {"name": name}})
    yield name
    client.delete(NAMESPACES, None, name)


def test_in_some_namespaces_only_with_no_right_outside(
    client: Client,
    namespace: str,
    other: str,
    deploy: Deploy,
    condition: Condition,
    cluster: dict[str, str],
) -> None:
    def may(verb: str, what: str, *where: str) -> bool:
        account = f"--as=system:serviceaccount:{RELEASE}:{RELEASE}"
        command = [programs() / "kubectl", "auth", "can-i", verb, what, account, *where]
        return (
            subprocess.run(command, env=cluster, capture_output=True, check=False).returncode == 0
        )

    try:
        # As `make up` does: no claim can be bound here.
        values = (
            "--values",
            ROOT / "build/images.yaml",
            "--set",
            "kafka.persistence.enabled=false",
        )
        helm(
            cluster,
            ROOT / "charts/kubeless",
            *values,
            "--set-json",
            f'watchNamespaces=["{namespace}"]',
        )
        client.create(FUNCTIONS, manifest(other))
        deploy()
        assert condition("hello", "Ready", "True")
        assert not client.get(FUNCTIONS, other, "hello").get("status")
        assert may("create", "deployments.apps", "--namespace", namespace)
        assert not may("create", "deployments.apps", "--namespace", other)
        assert not may("list", "functions.kubeless.io", "--all-namespaces")
        assert not may("get", "secrets", "--namespace", namespace)
    finally:
        up()
    wait_for(
        lambda: (client.get(FUNCTIONS, other, "hello").get("status") or {}).get("url"),
        "in all namespaces again",
        30,
    )


def test_the_roles_for_people(
    client: Client, namespace: str, other: str, cluster: dict[str, str]
) -> None:
    def may(user: str, verb: str, what: str, where: str, below: str = "") -> bool:
        command = [programs() / "kubectl", "auth", "can-i", verb, what, f"--as={user}", "-n", where]
        command += [f"--subresource={below}"] if below else []
        return (
            subprocess.run(command, env=cluster, capture_output=True, check=False).returncode == 0
        )

    # Once by the role itself, once by the cluster's own that takes it in.
    for user, role in (("ann", "kubeless-edit"), ("bob", "edit"), ("eve", "view")):
        client.create(
            ROLE_BINDINGS,
            {
                "metadata": {"name": user, "namespace": namespace},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": role,
                },
                "subjects": [
                    {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
                ],
            },
        )
    functions = "functions.kubeless.io"
    for user in ("ann", "bob"):
        wait_for(lambda user=user: may(user, "create", functions, namespace), f"{user} may create")
        assert may(user, "patch", functions, namespace, "scale")
        assert not may(user, "patch", functions, namespace, "status")
        assert not may(user, "create", functions, other)
    wait_for(lambda: may("eve", "list", functions, namespace), "eve may list")
    assert not may("eve", "create", functions, namespace)
    assert not may("eve", "list", functions, other)


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """A tree with the chart, the controller and the tools as they were before."""
    archive = subprocess.run(
        ["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode != 0:
        pytest.skip("this clone has no history: fetch it (git fetch --unshallow)")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path, filter="data")
    return tmp_path


def test_an_upgrade_fails_no_request_and_restarts_no_pod(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    cluster: dict[str, str],
    previous: Path,
) -> None:
    command = [sys.executable, previous / "tools/images/kubeless_images", "build", "controller"]
    old = previous / "images.yaml"
    built = subprocess.run([*command, "--values", old], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    images = yaml.safe_load(old.read_text())["images"]
    image = f"{images['registry']}/controller:{images['tags']['controller']}"
    loaded = subprocess.run(
        [ROOT / "tools/cluster/cluster", "load", image], capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr

    def pods() -> dict[str, str]:
        items = client.list(PODS, namespace, labels="created-by=kubeless")["items"]
        return {item["metadata"]["uid"]: item["metadata"]["name"] for item in items}

    def generations() -> dict[str, int]:
        items = client.list(DEPLOYMENTS, namespace)["items"]
        return {item["metadata"]["name"]: item["metadata"]["generation"] for item in items}

    try:
        # The runtimes' images are this clone's in both: another image is a reason to restart.
        built_here = yaml.safe_load((ROOT / "build/images.yaml").read_text())["images"]
        tags = {**built_here["tags"], "controller": images["tags"]["controller"]}
        chosen = previous / "chosen.yaml"
        # That chart knows nothing but images.
        chosen.write_text(yaml.safe_dump({"images": {**built_here, "tags": tags}}))
        helm(cluster, previous / "charts/kubeless", "--values", chosen)
        deploy(replicas=2)
        deploy("other", env=[{"name": "A", "value": "1"}], resources={"limits": {"cpu": "1000m"}})
        for name in ("hello", "other"):
            condition(name, "Ready", "True")
        wait_for(lambda: len(pods()) == 3, "all pods")
        before, host = (pods(), generations()), address(client, namespace)
        wait_for(lambda: call(host)[0] == 200, "the first answer")
        with Load(host, 8080, threads=2) as load:
            wait_for(lambda: load.count("hello") > 50, "the load runs")
            up()
            wait_for(lambda: leader(client) in controllers(client), "a leader of the new version")
            deploy("fresh")
            condition("fresh", "Ready", "True")
            client.delete(FUNCTIONS, namespace, "fresh")
        assert not load.failures, load.failures[:5]
        wait_for(lambda: len(pods()) == 3, "the pods of the fresh one are gone", 60)
        generations_now = {name: generations()[name] for name in before[1]}
        assert (pods(), generations_now) == before
    finally:
        up()
