"""`kubeless get-server-config`: which configuration it finds, and what it says when it finds none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS
from support.command_line import kubeless
from support.control_plane import ControlPlane
from support.helm import one, template
from support.users import user_with

Object = dict[str, Any]
Config = Callable[..., subprocess.CompletedProcess[str]]

READ = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}


@pytest.fixture
def get_config(control_plane: ControlPlane) -> Config:
    """Run `kubeless get-server-config`, as cluster admin or another user."""

    def run(*arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        kubeconfig = kubeconfig or control_plane.kubeconfig
        return kubeless(kubeconfig, "get-server-config", *arguments)

    return run


@pytest.fixture
def user(
    client: Client, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> Callable[..., Path]:
    """The kubeconfig of a user with only these rights in the test's namespace."""
    return lambda *rules: user_with(
        client, control_plane.kubeconfig, namespace, tmp_path / "user", *rules
    )


@pytest.fixture
def installed(client: Client, namespace: str) -> Iterator[Object]:
    """The controller's ConfigMap as the chart has it, in the test's namespace."""
    config_map = one(
        [o for o in template() if o["metadata"]["name"].endswith("-controller")], "ConfigMap"
    )
    config_map["metadata"]["namespace"] = namespace
    yield client.create(CONFIGMAPS, config_map)
    client.delete(CONFIGMAPS, namespace, config_map["metadata"]["name"])


def test_the_server_config_is_found_anywhere(
    get_config: Config, namespace: str, installed: Object
) -> None:
    done = get_config()
    assert done.returncode == 0, done.stderr
    config = json.loads(installed["data"]["config.json"])
    ids = [runtime["id"] for runtime in config["runtimes"]]
    assert done.stderr == f"Supported Runtimes are: {', '.join(ids)}\n"
    assert f"{namespace}/kubeless-controller" in done.stdout
    for runtime in config["runtimes"]:
        assert all(alias in done.stdout for alias in (runtime["id"], *runtime["aliases"]))
        assert runtime["image"] in done.stdout
        assert runtime["installImage"] in done.stdout
    assert f"prepareImage: {config['prepareImage']}" in " ".join(done.stdout.split())

    done = get_config("--kubeless-namespace", namespace, "-o", "json")
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, config, "")


def test_a_second_installation_is_not_guessed_at(
    client: Client, get_config: Config, namespace: str, installed: Object
) -> None:
    metadata = installed["metadata"]
    twin = {"name": "twin", "namespace": namespace, "labels": metadata["labels"]}
    client.create(CONFIGMAPS, {"metadata": twin, "data": installed["data"]})
    done = get_config("--kubeless-namespace", namespace)
    client.delete(CONFIGMAPS, namespace, "twin")
    assert done.returncode == 1
    assert f"{namespace}/{metadata['name']}, {namespace}/twin" in done.stderr
    assert "--kubeless-namespace" in done.stderr


def test_no_installation_is_said(get_config: Config, namespace: str) -> None:
    for arguments, words in (
        ([], "in any namespace"),
        (["--kubeless-namespace", namespace], f"in namespace '{namespace}'"),
        (["--kubeless-namespace", "no-such"], "in namespace 'no-such'"),
    ):
        done = get_config(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"no configuration of a Kubeless controller {words}" in done.stderr
        assert len(done.stderr.splitlines()) == 2


def test_the_right_to_read_one_namespace_is_enough_where_it_is_named(
    get_config: Config, namespace: str, installed: Object, user: Callable[..., Path]
) -> None:
    reader = user(READ)
    done = get_config(kubeconfig=reader)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Not allowed" in done.stderr
    assert "'list' on configmaps" in done.stderr
    assert "--kubeless-namespace" in done.stderr

    done = get_config("--kubeless-namespace", namespace, kubeconfig=reader)
    assert done.returncode == 0, done.stderr
    assert installed["metadata"]["name"] in done.stdout


def test_a_right_that_is_missing_is_named(
    get_config: Config, namespace: str, user: Callable[..., Path]
) -> None:
    nobody = user()
    done = get_config("--kubeless-namespace", namespace, kubeconfig=nobody)
    assert done.returncode == 1
    assert (
        f"user' cannot list resource 'configmaps' in API group '' in the namespace '{namespace}'"
        in done.stderr
    )
    assert "The right that is needed is 'list' on configmaps in that namespace" in done.stderr
