"""A real control plane on the loopback address, without nodes.

etcd, kube-apiserver and kube-controller-manager: objects are checked, owned,
collected and rolled out as in any cluster, and pods stay pending.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError, Unreachable
from kubeless_kube.resources import Resource
from support.processes import Process, free_ports
from support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)
TOKEN = "for-this-test-only"
# For tests that wait for the control plane: memory is had for less than the time that Go takes to collect it.
RARE_COLLECTIONS = {"GOGC": "400"}


@cache
def programs() -> Path:
    """The folder of the cluster's programs, built when they are not."""
    command = [ROOT / "tools/cluster/cluster", "bin"]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(found.stdout.strip())


class ControlPlane:
    """``client()`` is cluster admin. Until ``start_manager``, objects are only kept.

    ``environment`` is laid over that of this process.
    """

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self.kubeconfig = folder / "kubeconfig"
        self._bin = programs()
        self._etcd_port, self._peer_port, self.port, self._manager_port = free_ports(4)
        self._running: list[Process] = []

    def start(self) -> None:
        """Start etcd and the API server, and wait until that is ready."""
        folder = self.folder
        for command in (
            ["openssl", "genrsa", "-out", folder / "sa.key", "2048"],
            ["openssl", "rsa", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub"],
        ):
            subprocess.run(command, check=True, capture_output=True)
        (folder / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        self._etcd()
        self.start_api_server()
        certificate = folder / "certificates" / "apiserver.crt"
        wait_for(certificate.exists, "the API server's certificate")
        self._write_kubeconfig(certificate)
        self._wait_until_ready()

    def client(self, **options: Any) -> Client:
        """A client of its own; options as of ``Client``."""
        return Client.from_kubeconfig(str(self.kubeconfig), **options)

    def install(self) -> None:
        """Have the API server serve the chart's resources."""
        client = self.client()
        files = (ROOT / "charts/kubeless/files/crds").glob("*.yaml")
        crds = [yaml.safe_load(file.read_text()) for file in files]
        for crd in crds:
            client.apply(CRDS, crd, manager="test")
        for crd in crds:
            names, version = crd["spec"]["names"], crd["spec"]["versions"][0]["name"]
            resource = Resource(crd["spec"]["group"], version, names["plural"], names["kind"])
            wait_for(lambda resource=resource: _served(client, resource), f"{names['plural']}")

    def start_api_server(self) -> Process:
        """Start the API server, also after it was stopped."""
        folder = self.folder
        self.api_server = self._start(
            "kube-apiserver",
            self._bin / "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={folder}/certificates",
            f"--service-account-key-file={folder}/sa.pub",
            f"--service-account-signing-key-file={folder}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={folder}/tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/16",
        )
        return self.api_server

    def restart_manager(self) -> None:
        """Start the controller manager anew: after an outage of the API server it may sleep for minutes."""
        self.manager.kill()
        self._running.remove(self.manager)
        self.start_manager()

    def stop(self) -> None:
        """Stop everything, the API server before etcd."""
        for process in reversed(self._running):
            process.kill()

    def _etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        self._start(
            "etcd",
            self._bin / "etcd",
            f"--data-dir={self.folder}/etcd",
            "--unsafe-no-fsync",
            "--log-level=error",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )

    def start_manager(self) -> None:
        """Start the controller manager, after ``install``: it looks for new kinds only every 30 s."""
        self.manager = self._start(
            "kube-controller-manager",
            self._bin / "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            # As the local cluster has it: its own 20 a second would be what tests wait for.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._manager_port}",
            f"--cert-dir={self.folder}/manager-certificates",
            f"--service-account-private-key-file={self.folder}/sa.key",
            "--controllers=deployment-controller,replicaset-controller,namespace-controller,"
            "garbage-collector-controller,serviceaccount-controller,resourcequota-controller,"
            "horizontal-pod-autoscaler-controller,cronjob-controller,job-controller",
            "--horizontal-pod-autoscaler-sync-period=1s",
        )

    def _start(self, name: str, *command: str | Path) -> Process:
        process = Process(name, command, self.folder, self._environment)
        self._running.append(process)
        return process

    def _write_kubeconfig(self, certificate: Path) -> None:
        # The certificate that the API server made for itself is its own authority.
        named = {"name": "test"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [
                {
                    **named,
                    "cluster": {
                        "server": f"https://127.0.0.1:{self.port}",
                        "certificate-authority": str(certificate),
                    },
                }
            ],
            "users": [{**named, "user": {"token": TOKEN}}],
            "contexts": [{**named, "context": {"cluster": "test", "user": "test"}}],
        }
        self.kubeconfig.write_text(json.dumps(config))
        os.chmod(self.kubeconfig, 0o600)

    def _wait_until_ready(self) -> None:
        client = self.client()

        def ready() -> bool:
            for process in self._running:
                assert process.running(), f"{process.log.name} ended:\n{process.tail()}"
            try:
                return client.request("GET", "/readyz").status == 200
            except (ApiError, Unreachable):
                return False

        wait_for(ready, "the API server is ready", 60)


def _served(client: Client, resource: Resource) -> bool:
    try:
        client.list(resource)
    except ApiError:  # not found, and then a moment of 429: its storage is being set up
        return False
    return True
