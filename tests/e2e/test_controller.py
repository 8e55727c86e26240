"""What the installed controller tells of its work, and the rights that the chart gives to people."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import Resource
from support.control_plane import programs
from support.installations import new_namespace
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
Kubectl = Callable[..., subprocess.CompletedProcess[str]]

ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")


@pytest.fixture
def other(client: Client) -> Iterator[str]:
    """A second namespace."""
    with new_namespace(client) as name:
        yield name


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
