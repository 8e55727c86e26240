"""Kubeless in the local cluster, installed by helm, and a namespace for each test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from support import objects
from support.control_plane import programs
from support.functions import manifest
from support.gateway import Gateway, gateway_up
from support.namespace_pool import Pool
from support.waiting import wait_for

Object = dict[str, Any]


@pytest.fixture(scope="session")
def client(cluster: dict[str, str]) -> Client:
    """Cluster admin."""
    return Client.from_kubeconfig(cluster["KUBECONFIG"])


@pytest.fixture(scope="session")
def gateway(cluster: dict[str, str]) -> Iterator[Gateway]:
    """A gateway that serves Ingresses and routes of Gateway API."""
    with gateway_up() as found:
        yield found


@pytest.fixture
def namespace(pool: Pool) -> Iterator[str]:
    """An empty namespace for the test alone, in which only hardened pods may run."""
    with pool.borrowed() as name:
        yield name


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def kubeless(cluster: dict[str, str]) -> Run:
    """Run the command line: ``kubeless("function", "list")``; keywords go to subprocess.run."""

    def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "kubeless", *arguments],
            env={**cluster, **options.pop("env", {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=options.pop("timeout", 180),
            **options,
        )

    return run


@pytest.fixture
def kubectl(cluster: dict[str, str]) -> Run:
    """Run kubectl; fails when it fails."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [programs() / "kubectl", *arguments]
        result = subprocess.run(
            command, env=cluster, capture_output=True, text=True, check=False, **options
        )
        assert result.returncode == 0, f"{' '.join(arguments)}: {result.stderr}"
        return result

    return run


@pytest.fixture
def deploy(client: Client, namespace: str) -> Callable[..., Object]:
    """Make or change a Function of the test's namespace: ``deploy(name, **spec)``."""

    def deploy_function(name: str = "hello", **spec: Any) -> Object:
        return client.apply(FUNCTIONS, manifest(namespace, name, **spec), manager="user")

    return deploy_function


@pytest.fixture
def condition(client: Client, namespace: str) -> Callable[..., Object]:
    """Wait until a condition of the current generation has this status or reason."""

    def wait_for_condition(name: str, kind: str, wanted: str, seconds: float = 60) -> Object:
        last: list[Object] = []

        def look() -> Object | None:
            function = client.get(FUNCTIONS, namespace, name)
            last[:] = (function.get("status") or {}).get("conditions", [])
            for entry in last:
                current = entry["observedGeneration"] == function["metadata"]["generation"]
                if (
                    current
                    and entry["type"] == kind
                    and wanted in (entry["status"], entry["reason"])
                ):
                    found: Object = entry
                    return found
            return None

        try:
            return wait_for(look, f"{kind} of {name} is {wanted}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{yaml.safe_dump(last)}") from None

    return wait_for_condition


@pytest.fixture
def gone(client: Client, namespace: str) -> Callable[..., bool]:
    """Say whether an object of the test's namespace does not exist."""

    return lambda resource, name: objects.gone(client, resource, namespace, name)
