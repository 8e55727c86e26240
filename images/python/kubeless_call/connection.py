"""Reaching the function, also when the cluster's network learns of it only now."""

from __future__ import annotations

import socket
import time

from kubeless_call.errors import CallError

# A Service that was just made, or whose pods were just replaced, is refused or unknown until every node has heard of it.
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.25
CONNECT_SECONDS = 5.0


def address_of(url: str) -> tuple[str, int, str]:
    """Host, port and path of an http address. Raises CallError."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host, _, port = authority.partition(":")
    if scheme != "http" or not host or not (port or "80").isdigit():
        raise CallError(
            f"found the address {url!r}, expected one like http://hello.default.svc:8080"
        )
    return host, int(port or 80), slash + path or "/"


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """A connection, tried again for some seconds while it is refused; ``deadline`` is monotonic time. Raises CallError."""
    patience = min(deadline, time.monotonic() + PATIENCE_SECONDS)
    while True:
        left = patience - time.monotonic()
        try:
            return socket.create_connection((host, port), max(0.1, min(CONNECT_SECONDS, left)))
        except OSError as error:
            if left <= PAUSE_SECONDS:
                raise CallError(f"{host}:{port} cannot be reached: {error}") from error
        time.sleep(PAUSE_SECONDS)
