"""`kubeless autoscale`: what it writes, what it reads, and what it says about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.__main__ import run as run_here
from kubeless_controller.reconcile.function import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS
from support.command_line import Run, commands, kubeless
from support.control_plane import ControlPlane
from support.functions import manifest
from support.races import interfere
from support.users import user_with

Object = dict[str, Any]
Deploy = Callable[..., Object]

FLAGS = ["--min", "2", "--max", "5", "--value", "70"]


@pytest.fixture
def autoscale(control_plane: ControlPlane, namespace: str) -> Run:
    """Run `kubeless autoscale ...` in the test's namespace."""
    return commands(control_plane.kubeconfig, namespace, "autoscale")


@pytest.fixture
def asked(client: Client, namespace: str) -> Callable[[], Any]:
    """The autoscaler that the Function `hello` asks for; None without the field."""

    def look() -> Any:
        return client.get(FUNCTIONS, namespace, "hello")["spec"].get("horizontalPodAutoscaler")

    return look


def test_an_autoscaler_is_made_changed_and_taken_out(
    client: Client, namespace: str, autoscale: Run, deploy: Deploy, asked: Callable[[], Any]
) -> None:
    before = deploy()
    done = autoscale("create", "hello", *FLAGS)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Autoscaler of function hello submitted: 2 to 5 pods by cpu 70" in done.stderr
    assert "kubeless function update hello --cpu" in done.stderr, "no CPU is requested"
    made = asked()
    assert made["spec"]["scaleTargetRef"]["name"] == "hello"
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (2, 5)

    done = autoscale("create", "hello", "--max", "3", "--metric", "qps", "--value", "10")
    assert done.returncode == 0
    assert "Note" not in done.stderr
    (metric,) = asked()["spec"]["metrics"]
    assert metric["object"]["target"] == {"type": "Value", "value": "10"}
    assert "resource" not in metric
    assert (asked()["spec"]["minReplicas"], asked()["spec"]["maxReplicas"]) == (1, 3)

    done = autoscale("delete", "hello")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Autoscaler of function hello deleted" in done.stderr
    assert asked() is None
    assert client.get(FUNCTIONS, namespace, "hello")["spec"] == before["spec"], "the rest stays"

    done = autoscale("delete", "hello")
    assert done.returncode == 1
    assert "hello in namespace" in done.stderr
    assert "has no autoscaler" in done.stderr


def test_a_dry_run_prints_what_would_be_written(
    client: Client, namespace: str, autoscale: Run, deploy: Deploy, asked: Callable[[], Any]
) -> None:
    deploy()
    done = autoscale("create", "hello", *FLAGS, "--dryrun", "--output", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert asked() is None
    printed = json.loads(done.stdout)
    assert autoscale("create", "hello", *FLAGS).returncode == 0
    assert printed["spec"] == client.get(FUNCTIONS, namespace, "hello")["spec"]


@pytest.mark.parametrize("command", [["create", "helo", *FLAGS], ["delete", "helo"]])
def test_a_function_that_is_not_there_is_said_with_what_is_near(
    autoscale: Run, deploy: Deploy, command: list[str]
) -> None:
    deploy()
    done = autoscale(*command)
    assert done.returncode == 1
    assert "no function 'helo'" in done.stderr
    assert "Did you mean hello?" in done.stderr


def test_what_the_original_wrote_is_replaced_as_a_whole(
    autoscale: Run, deploy: Deploy, asked: Callable[[], Any]
) -> None:
    target = {"kind": "Deployment", "name": "hello"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 50}}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 9, "metrics": [cpu]}
    status = {"currentReplicas": 0, "desiredReplicas": 0}
    metadata = {"name": "hello", "creationTimestamp": None}
    deploy(horizontalPodAutoscaler={"metadata": metadata, "spec": spec, "status": status})
    assert autoscale("list").stdout.splitlines()[1].split()[2:7] == ["hello", "1", "9", "cpu", "50"]

    assert autoscale("create", "hello", *FLAGS).returncode == 0
    assert asked().keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert asked()["apiVersion"] == "autoscaling/v2"
    assert asked()["spec"]["metrics"][0]["resource"].keys() == {"name", "target"}


def test_the_originals_zero_values_are_no_autoscaler(
    client: Client, namespace: str, autoscale: Run
) -> None:
    zero = {"maxReplicas": 0, "scaleTargetRef": {"kind": "", "name": ""}}
    field = {"metadata": {"creationTimestamp": None}, "spec": zero, "status": None}
    client.create(FUNCTIONS, manifest(namespace, horizontalPodAutoscaler=field))
    listed = autoscale("ls")
    assert listed.returncode == 0
    assert "No autoscalers found" in listed.stderr
    assert autoscale("delete", "hello").returncode == 1


@pytest.mark.parametrize("writer", ["kubeless", "kubeless-cli"])
def test_a_deploy_leaves_the_autoscaler(
    client: Client,
    namespace: str,
    control_plane: ControlPlane,
    autoscale: Run,
    asked: Callable[[], Any],
    tmp_path: Path,
    writer: str,
) -> None:
    source = tmp_path / "hello.py"
    source.write_text("def handler(event, context):\n    return 'hello'\n")
    flags = ["--runtime", "python3.13", "--handler", "hello.handler", "-f", str(source)]
    client.create(FUNCTIONS, manifest(namespace, timeout="3"), manager=writer)
    if writer == "kubeless":  # the original's binary
        target = {"kind": "Deployment", "name": "hello"}
        field = {"metadata": {"name": "hello"}, "spec": {"scaleTargetRef": target}}
        patch = {"spec": {"horizontalPodAutoscaler": field}}
        client.patch(FUNCTIONS, namespace, "hello", patch, manager=writer)
    else:
        assert autoscale("create", "hello", *FLAGS).returncode == 0
    before = asked()
    for _ in range(2):
        done = kubeless(
            control_plane.kubeconfig, "function", "deploy", "hello", *flags, "-n", namespace
        )
        assert done.returncode == 0, done.stderr
        assert asked() == before
    assert "timeout" not in client.get(FUNCTIONS, namespace, "hello")["spec"], (
        "the rest is replaced"
    )


def test_what_others_write_meanwhile_stays(
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    control_plane: ControlPlane,
    namespace: str,
    deploy: Deploy,
) -> None:
    deploy()
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    interfere(monkeypatch, times=4)
    assert run_here(["autoscale", "create", "hello", *FLAGS, "-n", namespace]) == 0
    function = client.get(FUNCTIONS, namespace, "hello")
    assert function["metadata"]["annotations"]["write"] == "4"
    assert function["spec"]["horizontalPodAutoscaler"]["spec"]["maxReplicas"] == 5


def test_a_race_that_is_always_lost_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control_plane: ControlPlane,
    namespace: str,
    deploy: Deploy,
    asked: Callable[[], Any],
) -> None:
    deploy()
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    interfere(monkeypatch, times=5)
    assert run_here(["autoscale", "create", "hello", *FLAGS, "-n", namespace]) == 1
    said = capsys.readouterr().err
    assert "Function hello was changed by somebody else each of the 5 times" in said
    assert len(said.splitlines()) == 2
    assert asked() is None


def test_a_deploy_takes_over_what_an_update_wrote_while_others_write(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client: Client,
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    source = tmp_path / "hello.py"
    source.write_text("def handler(event, context):\n    return 'hello'\n")
    flags = ["--runtime", "python3.13", "--handler", "hello.handler", "-f", str(source)]
    deploy_again = ["function", "deploy", "hello", *flags, "-n", namespace]
    assert run_here(deploy_again) == 0
    assert run_here(["function", "update", "hello", "--timeout", "3", "-n", namespace]) == 0

    interfere(monkeypatch, times=5)
    assert run_here(deploy_again) == 1
    assert "Function hello was changed by somebody else each of the 5 times" in (
        capsys.readouterr().err
    )
    interfere(monkeypatch, times=4)
    assert run_here(deploy_again) == 0
    function = client.get(FUNCTIONS, namespace, "hello")
    assert "timeout" not in function["spec"]
    assert function["metadata"]["annotations"]["write"] == "4"


def test_the_list_shows_how_the_live_autoscaler_is_doing(
    client: Client,
    namespace: str,
    autoscale: Run,
    deploy: Deploy,
    asked: Callable[[], Any],
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    deploy("other")
    uid = deploy()["metadata"]["uid"]
    assert autoscale("create", "hello", *FLAGS).returncode == 0
    header, row = autoscale("list").stdout.splitlines()
    columns = "NAME NAMESPACE TARGET MIN MAX METRIC VALUE CURRENT DESIRED MESSAGE"
    assert header.split() == columns.split()
    own = ["hello", namespace, "hello", "2", "5", "cpu", "70"]
    assert row.split()[:7] == own
    assert row.endswith("the controller has not looked at it yet")
    listed = json.loads(autoscale("list", "-o", "json").stdout)["items"]
    assert [item["spec"] for item in listed] == [asked()["spec"]]

    owner = {"apiVersion": "kubeless.io/v1beta1", "kind": "Function", "name": "hello", "uid": uid}
    metadata = {"name": "hello", "namespace": namespace, "ownerReferences": [owner]}
    client.create(AUTOSCALERS, asked() | {"metadata": metadata})
    numbers = {"currentReplicas": 3, "desiredReplicas": 4}
    client.patch(AUTOSCALERS, namespace, "hello", {"status": numbers}, subresource="status")
    entry = {
        "type": "Autoscaled",
        "status": "True",
        "reason": "Scaling",
        "message": "fine",
        "observedGeneration": client.get(FUNCTIONS, namespace, "hello")["metadata"]["generation"],
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }
    told = {"status": {"conditions": [entry]}}
    client.patch(FUNCTIONS, namespace, "hello", told, subresource="status")
    assert autoscale("ls").stdout.splitlines()[1].split() == [*own, "3", "4"]
    everywhere = autoscale("list", "--all-namespaces").stdout.splitlines()
    assert [*own, "3", "4"] in [line.split() for line in everywhere]
    (item,) = json.loads(autoscale("list", "-o", "json").stdout)["items"]
    assert (item["kind"], item["status"]["currentReplicas"]) == ("HorizontalPodAutoscaler", 3)
    assert "managedFields" not in item["metadata"]

    # Who may read Functions only still sees what they ask for.
    rule = {"apiGroups": ["kubeless.io"], "resources": ["functions"], "verbs": ["list"]}
    reader = user_with(client, control_plane.kubeconfig, namespace, tmp_path / "reader", rule)
    assert autoscale("list", kubeconfig=reader).stdout.splitlines()[1].split() == own


def test_a_right_that_is_missing_is_named(
    client: Client,
    namespace: str,
    control_plane: ControlPlane,
    autoscale: Run,
    deploy: Deploy,
    tmp_path: Path,
) -> None:
    deploy()
    rule = {"apiGroups": ["kubeless.io"], "resources": ["functions"], "verbs": ["get"]}
    user = user_with(client, control_plane.kubeconfig, namespace, tmp_path / "user", rule)
    for arguments, verb in ((["list"], "list"), (["create", "hello", *FLAGS], "patch")):
        done = autoscale(*arguments, kubeconfig=user)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"cannot {verb} resource 'functions'" in done.stderr
        assert len(done.stderr.splitlines()) == 2
