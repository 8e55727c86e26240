"""Calling a function of the local cluster, whose Service addresses this host reaches."""

from __future__ import annotations

import http.client

from kubeless_kube.client import Client
from kubeless_kube.resources import SERVICES
from support.waiting import wait_for


def address(client: Client, namespace: str, name: str = "hello") -> str:
    """The address of a function's Service."""
    found: str = client.get(SERVICES, namespace, name)["spec"]["clusterIP"]
    return found


def call(host: str, path: str = "/", method: str = "GET") -> tuple[int, str]:
    """One call; a Service may refuse for a moment after its rollout, since kube-proxy lags."""

    def look() -> tuple[int, str] | None:
        connection = http.client.HTTPConnection(host, 8080, timeout=10)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except OSError:
            return None
        finally:
            connection.close()

    return wait_for(look, f"{host} answers", 10)


def answer(client: Client, namespace: str, name: str = "hello") -> str:
    """What a GET is answered."""
    return call(address(client, namespace, name))[1]
