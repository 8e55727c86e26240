"""A pod that serves files: the package indexes, mirrors and git repositories of a test's own."""

from __future__ import annotations

import base64
import http.client
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, PODS, SERVICES
from support.waiting import wait_for

Object = dict[str, Any]
NAME = "shelf"
SERVER = Path(__file__).with_name("shelf_server.py")
SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class Shelf:
    """The pod ``shelf`` of a namespace, and its Service of the same name."""

    client: Client
    namespace: str

    @property
    def host(self) -> str:
        """Its name for other pods."""
        return f"{NAME}.{self.namespace}.svc"

    @property
    def url(self) -> str:
        """Where its files are; without a slash at the end."""
        return f"http://{self.host}:8080"

    @property
    def secure_url(self) -> str:
        """The same over HTTPS, when it was given a certificate."""
        return f"https://{self.host}:8443"

    def asked(self) -> list[tuple[str, str, bool]]:
        """What it was asked: the host of a proxy's request or ``-``, the path, whether it knew who asked."""
        path = PODS.path(self.namespace, NAME, "log")
        log = self.client.request("GET", path).data.decode()
        found = re.findall(r"^asked (\S+) (\S+) (\w+)$", log, re.MULTILINE)
        return [(host, path, known == "known") for host, path, known in found]


def set_up(
    client: Client,
    namespace: str,
    files: Mapping[str, bytes],
    *,
    credentials: str = "",
    certificate: Mapping[str, str] | None = None,
) -> Shelf:
    """Make the pod, with these files by their paths, and wait until its Service answers.

    ``credentials`` are ``user:password``; ``certificate`` has ``tls.crt`` and ``tls.key``.
    """
    client.create(
        CONFIGMAPS,
        {
            "metadata": {"name": NAME, "namespace": namespace},
            "data": {"server.py": SERVER.read_text(), **(certificate or {})},
            "binaryData": {"files.tar.gz": base64.b64encode(_packed(files)).decode()},
        },
    )
    client.create(
        PODS,
        {
            "metadata": {"name": NAME, "namespace": namespace, "labels": {"app": NAME}},
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": NAME,
                        "image": python_image(client),
                        "command": ["python3", "-P", "/shelf/server.py"],
                        "env": [{"name": "SHELF_CREDENTIALS", "value": credentials}],
                        "volumeMounts": [{"name": NAME, "mountPath": "/shelf", "readOnly": True}],
                        "securityContext": SECURITY,
                    }
                ],
                "volumes": [{"name": NAME, "configMap": {"name": NAME}}],
            },
        },
    )
    ports = [{"name": f"p{port}", "port": port} for port in (8080, 8443)]
    made = client.create(
        SERVICES,
        {
            "metadata": {"name": NAME, "namespace": namespace},
            "spec": {"selector": {"app": NAME}, "ports": ports},
        },
    )
    wait_for(lambda: _answers(made["spec"]["clusterIP"]), "the shelf's Service answers", 60)
    return Shelf(client, namespace)


def python_image(client: Client) -> str:
    """The image in which the installed controller prepares sources."""
    config = client.get(CONFIGMAPS, "kubeless", "kubeless-controller")["data"]["config.json"]
    found: str = json.loads(config)["prepareImage"]
    return found


def _packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, 8080, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
