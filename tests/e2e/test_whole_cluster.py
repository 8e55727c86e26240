"""The chart as `make up` installs it, for all namespaces: nothing else is installed, and nothing else runs, meanwhile."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS, PODS
from support.calls import address, call
from support.control_plane import ROOT, programs
from support.functions import manifest
from support.installations import IMAGES, Installation, new_namespace
from support.load import Load
from support.local_cluster import NAME, up
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

# The chart as it was before: upgrades start from there.
PREVIOUS = "fe1122779eaf127720f4ae1cfbf70053ff0de719"


@pytest.fixture(scope="module")
def installation(client: Client, cluster: dict[str, str]) -> Installation:
    """This clone's chart with its default values."""
    up()
    return Installation(client, cluster, NAME)


@pytest.fixture
def namespace(client: Client, installation: Installation) -> Iterator[str]:
    """A namespace that nobody named to the installation."""
    with new_namespace(client) as name:
        yield name


@pytest.fixture
def other(client: Client) -> Iterator[str]:
    """A second one."""
    with new_namespace(client) as name:
        yield name


def test_in_some_namespaces_only_with_no_right_outside(
    client: Client,
    namespace: str,
    other: str,
    deploy: Deploy,
    condition: Condition,
    cluster: dict[str, str],
    installation: Installation,
) -> None:
    def may(verb: str, what: str, *where: str) -> bool:
        account = f"--as=system:serviceaccount:{NAME}:{NAME}"
        command = [programs() / "kubectl", "auth", "can-i", verb, what, account, *where]
        return (
            subprocess.run(command, env=cluster, capture_output=True, check=False).returncode == 0
        )

    try:
        # As `make up` does: no claim can be bound here.
        values = (
            "--values",
            IMAGES,
            "--set",
            "kafka.persistence.enabled=false",
        )
        installation.install(*values, watchNamespaces=[namespace])
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


def test_functions_outlive_an_uninstall_and_are_found_again(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    installation: Installation,
) -> None:
    deploy()
    condition("hello", "Ready", "True")
    deploy("other")
    condition("other", "Ready", "True")
    before = client.get(DEPLOYMENTS, namespace, "other")
    installation.helm("uninstall", installation.name, "--wait")
    try:
        assert call(address(client, namespace)) == (200, "hello")
        deploy(env=[{"name": "A", "value": "1"}])
    finally:
        up()
    # What changed meanwhile is done now, and only that.
    assert condition("hello", "Ready", "True")
    after = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "A", "value": "1"} in after["env"]
    metadata = client.get(DEPLOYMENTS, namespace, "other")["metadata"]
    assert metadata["generation"] == before["metadata"]["generation"]


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
    installation: Installation,
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
        built_here = yaml.safe_load(IMAGES.read_text())["images"]
        tags = {**built_here["tags"], "controller": images["tags"]["controller"]}
        chosen = previous / "chosen.yaml"
        # That chart knows nothing but images.
        chosen.write_text(yaml.safe_dump({"images": {**built_here, "tags": tags}}))
        installation.install("--values", chosen, chart=previous / "charts/kubeless")
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
            wait_for(
                lambda: installation.leader() in installation.controllers(),
                "a leader of the new version",
            )
            deploy("fresh")
            condition("fresh", "Ready", "True")
            client.delete(FUNCTIONS, namespace, "fresh")
        assert not load.failures, load.failures[:5]
        wait_for(lambda: len(pods()) == 3, "the pods of the fresh one are gone", 60)
        generations_now = {name: generations()[name] for name in before[1]}
        assert (pods(), generations_now) == before
    finally:
        up()
