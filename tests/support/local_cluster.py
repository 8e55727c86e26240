"""The local cluster with Kubeless in it, shared by all processes of a test run.

A cluster that was up before is used and left up, with this clone's images and chart in it; one that was not is brought
down again. While tests run, the installation watches the namespaces of the pool only (``namespace_pool``), so that
others can stand beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from kubeless_kube.client import Client
from support import namespace_pool, shared
from support.control_plane import ROOT, programs
from support.installations import CHART, Installation

CLUSTER = ROOT / "tools/cluster/cluster"
UP = ROOT / "tools/up.py"
NAME = "kubeless"
# One controller is enough where its end is not what is tested.
FOR_TESTS = {"watchNamespaces": list(namespace_pool.NAMES), "controller.replicas": 1}


@contextlib.contextmanager
def local_cluster() -> Iterator[dict[str, str]]:
    """The environment in which kubectl, helm and kubeless mean the local cluster."""
    with _shared().used():
        yield local_environment()


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Have the local cluster last until the end of the block, once somebody has brought it up."""
    with _shared().held():
        yield


def up() -> None:
    """The local cluster with this clone's chart, installed as `make up` does it: for all namespaces."""
    done = subprocess.run([sys.executable, UP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def local_environment() -> dict[str, str]:
    """The same environment, of a local cluster that is up."""
    found = subprocess.run([CLUSTER, "kubeconfig"], capture_output=True, text=True, check=True)
    path = f"{Path(sys.executable).parent}:{programs()}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": found.stdout.strip(), "PATH": path}


def _shared() -> shared.Shared:
    where = shared.folder("local-cluster")
    before = where / "before.json"

    def start() -> None:
        was_up = subprocess.run([CLUSTER, "status"], capture_output=True, check=False)
        before.write_text(json.dumps({"up": was_up.returncode == 0}))
        up()
        client, installation = _installation()
        namespace_pool.make(client)
        for name in namespace_pool.NAMES:
            namespace_pool.empty(client, name)  # what a run that was killed has left
        installation.install("--reuse-values", chart=CHART, **FOR_TESTS)

    def stop() -> None:
        if json.loads(before.read_text())["up"]:
            client, _ = _installation()
            up()
            namespace_pool.remove(client)
        else:
            subprocess.run([CLUSTER, "down"], capture_output=True, check=True)

    return shared.Shared(where, start, stop)


def _installation() -> tuple[Client, Installation]:
    environment = local_environment()
    client = Client.from_kubeconfig(environment["KUBECONFIG"])
    return client, Installation(client, environment, NAME)
