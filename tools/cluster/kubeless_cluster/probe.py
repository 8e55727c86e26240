"""Short questions over HTTP to the components; proxies of the environment play no part."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import ClusterError
from .instance import Instance

TIMEOUT = 5.0
"""Seconds for one answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    """HTTP status; 0 when there was no answer."""
    body: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def ask(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    method: str = "GET",
    body: str | None = None,
    content_type: str = "application/json",
    timeout: float = TIMEOUT,
) -> Answer:
    """One request; no answer is status 0 with the reason as body."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, port, timeout=timeout, context=context or unverified()
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": content_type} if body is not None else {}
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error) or type(error).__name__)
    finally:
        connection.close()


def unverified() -> ssl.SSLContext:
    """For the health ports of components that sign their own certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def listens(path: Path) -> bool:
    """Whether something accepts connections on the Unix socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(TIMEOUT)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


class Api:
    """The API server, called as the administrator."""

    def __init__(self, instance: Instance) -> None:
        self.url = instance.api_url
        try:
            self.context = ssl.create_default_context(cafile=str(instance.pki / "ca.crt"))
            self.context.load_cert_chain(instance.pki / "admin.crt", instance.pki / "admin.key")
        except OSError as error:
            raise ClusterError(f"no certificates in {instance.pki}: {error.strerror}") from error

    def ask(self, path: str) -> Answer:
        return ask(self.url + path, context=self.context)

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at `path`, None when it is not there or nobody answers."""
        answer = self.ask(path)
        if not answer.ok:
            return None
        found = json.loads(answer.body)
        return found if isinstance(found, dict) else None

    def apply(self, path: str, wanted: dict[str, Any]) -> None:
        """Server-side apply of `wanted`; ClusterError with the server's words when refused."""
        answer = ask(
            f"{self.url}{path}?fieldManager=kubeless-cluster&force=true",
            context=self.context,
            method="PATCH",
            body=json.dumps(wanted),
            content_type="application/apply-patch+yaml",
            timeout=30,
        )
        if not answer.ok:
            raise ClusterError(f"the API server refused {path}: {answer.status} {answer.body}")
