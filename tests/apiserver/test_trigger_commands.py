"""`kubeless trigger http`: what it writes over whom, what it reads, and what it says about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_cli.kinds import HTTP_TRIGGER
from kubeless_kube.client import Client
from kubeless_kube.resources import INGRESSES
from support.command_line import Run, commands
from support.control_plane import ControlPlane
from support.objects import find
from support.users import user_with
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]

HTTP_TRIGGERS = HTTP_TRIGGER.resource
FLAGS = ["--function-name", "hello"]


@pytest.fixture
def http(control_plane: ControlPlane, namespace: str) -> Run:
    """Run `kubeless trigger http ...` in the test's namespace."""
    return commands(control_plane.kubeconfig, namespace, "trigger", "http")


@pytest.fixture
def spec(client: Client, namespace: str) -> Callable[..., Object]:
    """The spec of an HTTPTrigger."""

    def look(name: str = "web") -> Object:
        found: Object = client.get(HTTP_TRIGGERS, namespace, name)["spec"]
        return found

    return look


def manifest(namespace: str, name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "HTTPTrigger",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"function-name": "hello", **spec},
    }


def test_create_makes_and_makes_again_update_changes_a_part(
    http: Run, deploy: Deploy, spec: Callable[..., Object], client: Client, namespace: str
) -> None:
    deploy()
    done = http("create", "web", *FLAGS, "--path", "a", "--gateway", "nginx", "--cors-enable")
    assert (done.returncode, done.stdout) == (0, "")
    assert "HTTP trigger web submitted" in done.stderr
    assert "Note" not in done.stderr
    assert spec() == {
        "function-name": "hello",
        "path": "a",
        "gateway": "nginx",
        "cors-enable": True,
    }
    labels = client.get(HTTP_TRIGGERS, namespace, "web")["metadata"]["labels"]
    assert labels == {"created-by": "kubeless"}

    assert http("update", "web", "--hostname", "h.example.com", "-l", "team=x").returncode == 0
    assert (spec()["host-name"], spec()["path"]) == ("h.example.com", "a")
    assert http("update", "web", "--no-cors-enable", "--path", "").returncode == 0
    assert spec() == {"function-name": "hello", "gateway": "nginx", "host-name": "h.example.com"}

    for _ in range(2):
        assert http("create", "web", *FLAGS, "--parent-ref", "gateways/public").returncode == 0
        parent = {"name": "public", "namespace": "gateways"}
        assert spec() == {"function-name": "hello", "parentRefs": [parent]}
    assert "team" not in client.get(HTTP_TRIGGERS, namespace, "web")["metadata"]["labels"]


def test_a_dry_run_is_what_the_cluster_gets(http: Run, spec: Callable[..., Object]) -> None:
    flags = [*FLAGS, "--path", "a", "--tls-secret", "cert"]
    printed = json.loads(http("create", "web", *flags, "--dryrun", "-o", "json").stdout)
    assert "No HTTP triggers found" in http("list").stderr
    assert http("create", "web", *flags).returncode == 0
    assert spec() == printed["spec"]

    changed = http("update", "web", "--path", "b", "--dryrun", "-o", "json")
    assert (changed.returncode, changed.stderr) == (0, "")
    assert json.loads(changed.stdout)["spec"] == spec() | {"path": "b"}
    assert "status" not in json.loads(changed.stdout)


def test_what_the_original_made_is_replaced_as_a_whole(
    http: Run, spec: Callable[..., Object], client: Client, namespace: str
) -> None:
    zero = {"basic-auth-secret": "", "tls": False, "tls-secret": "", "cors-enable": False}
    legacy = manifest(namespace, **zero, gateway="nginx", path="a", **{"host-name": "h.example"})
    client.create(HTTP_TRIGGERS, legacy, manager="kubeless")
    assert http("create", "web", *FLAGS, "--parent-ref", "public").returncode == 0
    assert spec() == {"function-name": "hello", "parentRefs": [{"name": "public"}]}


def test_what_kubectl_applied_stays_unless_a_flag_names_it(
    http: Run, spec: Callable[..., Object], client: Client, namespace: str
) -> None:
    client.create(HTTP_TRIGGERS, manifest(namespace, gateway="kong", path="a"), manager="kubectl")
    assert http("create", "web", *FLAGS, "--path", "b").returncode == 0
    assert spec() == {"function-name": "hello", "gateway": "kong", "path": "b"}

    refused = http("create", "web", *FLAGS, "--parent-ref", "public")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "The cluster refused the HTTP trigger: spec.parentRefs: found it together with" in (
        refused.stderr
    )
    said = http("update", "web", "--parent-ref", "public")
    assert said.returncode == 1
    assert 'The trigger has gateway already: --gateway "" takes it out.' in said.stderr
    assert http("update", "web", "--parent-ref", "public", "--gateway", "").returncode == 0
    assert spec()["parentRefs"] == [{"name": "public"}]


def test_a_function_that_does_not_exist_yet_is_noted_with_what_is_near(
    http: Run, deploy: Deploy, spec: Callable[..., Object]
) -> None:
    deploy()
    done = http("create", "web", "--function-name", "helo")
    assert done.returncode == 0
    assert "Note: There is no function 'helo' in namespace" in done.stderr
    assert "Did you mean hello?" in done.stderr
    assert "The trigger waits until there is one." in done.stderr
    assert spec()["function-name"] == "helo"


@pytest.mark.parametrize(
    "command",
    [["update", "wep", "--path", "a"], ["describe", "wep"], ["delete", "wep"], ["list", "wep"]],
)
def test_a_trigger_that_is_not_there_is_said_with_what_is_near(
    http: Run, client: Client, namespace: str, command: list[str]
) -> None:
    client.create(HTTP_TRIGGERS, manifest(namespace))
    done = http(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no HTTP trigger 'wep' in namespace" in done.stderr
    assert "Did you mean web?" in done.stderr


def test_lists(http: Run, client: Client, namespace: str) -> None:
    client.create(HTTP_TRIGGERS, manifest(namespace))
    other = manifest(namespace, "other", path="a", gateway="kong")
    other["metadata"]["labels"] = {"team": "x"}
    client.create(HTTP_TRIGGERS, other)
    header, *rows = http("ls").stdout.splitlines()
    assert header.split() == ["NAME", "NAMESPACE", "FUNCTION", "NAME", "URL", "READY", "REASON"]
    first = ["other", namespace, "hello", "Unknown", "Submitted"]
    assert [row.split() for row in rows] == [first, ["web", *first[1:]]]
    (row,) = http("list", "-l", "team=x", "-o", "wide").stdout.splitlines()[1:]
    assert row.split()[:8] == [*first, "*", "/a", "kong"]
    everywhere = http("list", "-A").stdout.splitlines()
    assert first in [line.split() for line in everywhere]
    items = json.loads(http("list", "-o", "json").stdout)["items"]
    assert {(item["kind"], item["metadata"]["name"]) for item in items} == {
        ("HTTPTrigger", "other"),
        ("HTTPTrigger", "web"),
    }
    (named,) = http("list", "web").stdout.splitlines()[1:]
    assert named.split()[0] == "web"
    one = json.loads(http("describe", "web", "-o", "json").stdout)
    assert one == json.loads(http("list", "web", "-o", "json").stdout)
    assert "managedFields" not in one["metadata"]
    both = http("list", "web", "-A")
    assert both.returncode == 2
    assert "exclude each other" in both.stderr


def test_several_are_deleted_and_those_that_are_missing_are_said(
    http: Run, client: Client, namespace: str
) -> None:
    for name in ("a", "b", "c"):
        client.create(HTTP_TRIGGERS, manifest(namespace, name))
    done = http("delete", "a", "b", "a", "--wait")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == ["HTTP trigger a deleted", "HTTP trigger b deleted"]
    done = http("delete", "c", "x", "y")
    assert done.returncode == 1
    assert "There are no HTTP triggers x, y in namespace" in done.stderr
    assert find(client, HTTP_TRIGGERS, namespace, "c") is None
    assert http("delete", "x", "--ignore-not-found").returncode == 0


@pytest.mark.usefixtures("controlled")
def test_waiting_ends_with_the_url_or_with_what_is_wrong(
    http: Run, deploy: Deploy, client: Client, namespace: str
) -> None:
    flags = [*FLAGS, "--gateway", "nginx", "--hostname", f"{namespace}.example.com", "--wait"]
    waits = http("create", "web", *flags, "--wait-timeout", "2s")
    assert (waits.returncode, waits.stdout) == (1, "")
    assert "HTTP trigger web is not ready after 2 s. FunctionNotFound" in waits.stderr

    deploy()
    wait_for(lambda: find(client, INGRESSES, namespace, "web"), "the Ingress is made")
    address = {"status": {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}}}
    client.patch(INGRESSES, namespace, "web", address, subresource="status", manager="nginx")
    done = http("create", "web", *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"http://{namespace}.example.com/\n"
    assert "HTTP trigger web is ready" in done.stderr
    assert f"http://{namespace}.example.com/" in http("list").stdout
    assert "Routed" in http("describe", "web").stdout

    taken = http("create", "late", *flags)
    assert (taken.returncode, taken.stdout) == (1, "")
    assert "HTTP trigger late failed. RouteTaken" in taken.stderr


def test_a_right_that_is_missing_is_named(
    http: Run, client: Client, namespace: str, control_plane: ControlPlane, tmp_path: Path
) -> None:
    rule = {
        "apiGroups": ["kubeless.io"],
        "resources": ["httptriggers"],
        "verbs": ["get", "patch", "create"],
    }
    user = user_with(client, control_plane.kubeconfig, namespace, tmp_path / "user", rule)
    # Whether its function exists is not for them to know; that is no reason to fail.
    done = http("create", "web", *FLAGS, kubeconfig=user)
    assert done.returncode == 0, done.stderr
    for arguments, verb in ((["list"], "list"), (["delete", "web"], "delete")):
        done = http(*arguments, kubeconfig=user)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"cannot {verb} resource 'httptriggers'" in done.stderr
