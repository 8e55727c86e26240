"""A gateway in the local cluster, and calls through it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.local_cluster import CLUSTER

CONTROLLER = "projectcontour.io/gateway-controller"
"""How Contour calls itself in the status of routes."""
SECONDS = 10


@dataclass(frozen=True)
class Gateway:
    """Where the gateway listens, and what routes and Ingresses refer to.

    The HTTPS listener's certificate is good for one name below ``kubeless.test`` and
    ``example.test``, and is signed by the authority in the file ``ca``.
    """

    address: str
    """Answers at port 80 and, by TLS, at port 443; at neither while no route leads there."""
    ca: Path
    namespace: str
    name: str
    ingress_class: str

    @property
    def parent(self) -> dict[str, str]:
        """The Gateway as a route's ``parentRefs`` have it."""
        return {"namespace": self.namespace, "name": self.name}

    def call(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text of one call by HTTP; 0 and the reason while nobody answers."""
        connection = http.client.HTTPConnection(self.address, 80, timeout=SECONDS)
        return _ask(connection, method, path, body, {"Host": host, **(headers or {})})

    def call_secure(
        self,
        host: str,
        path: str = "/",
        *,
        ca: Path | None = None,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """The same by HTTPS, for which the certificate must be ``host``'s and of the authority ``ca``.

        ``ca`` is the gateway's own where none is given. Raises ssl.SSLCertVerificationError.
        """
        connection = _Secure(self.address, host, ssl.create_default_context(cafile=ca or self.ca))
        return _ask(connection, method, path, body, {"Host": host, **(headers or {})})


class _Secure(http.client.HTTPSConnection):
    """HTTPS to an address under a name that no DNS knows."""

    def __init__(self, address: str, host: str, context: ssl.SSLContext) -> None:
        super().__init__(address, 443, timeout=SECONDS, context=context)
        self._host, self._trust = host, context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self._host)


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
) -> tuple[int, str]:
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


@contextmanager
def gateway_up() -> Iterator[Gateway]:
    """The gateway in the local cluster, which is up; one that was not there before is removed again."""

    def run(action: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CLUSTER, "gateway", action], capture_output=True, text=True, check=False
        )

    was_there = run("show").returncode == 0
    try:
        up = run("up")
        assert up.returncode == 0, up.stdout + up.stderr
        found = json.loads(run("show").stdout)
        yield Gateway(
            found["address"],
            Path(found["ca"]),
            found["parentRef"]["namespace"],
            found["parentRef"]["name"],
            found["ingressClassName"],
        )
    finally:
        if not was_there:
            down = run("down")
            assert down.returncode == 0, down.stdout + down.stderr
