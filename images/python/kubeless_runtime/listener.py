"""The server's socket, made before anything else is imported.

Only ``socket`` is imported here: what this module costs, a probe waits for.
"""

from __future__ import annotations

import socket

#: Connections that wait to be taken up; the kernel's own limit may be lower.
BACKLOG = 1024

DEFAULT_PORT = 8080


def listen(port: str | None) -> tuple[socket.socket | None, str]:
    """A socket that listens on every address, or None and why not.

    ``port`` is the text of FUNC_PORT. What is no port is for the configuration to
    refuse, in its own words: the reason is '' then.
    """
    try:
        number = int(port or DEFAULT_PORT)
        if not 0 < number < 65536:
            return None, ""
    except ValueError:
        return None, ""
    try:
        sock = _bind(number)
        sock.listen(BACKLOG)
    except OSError as error:
        return None, error.strerror or str(error)
    return sock, ""


def _bind(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        family, address = socket.AF_INET6, "::"
    else:
        family, address = socket.AF_INET, "0.0.0.0"  # noqa: S104 (a server in a pod)
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((address, port))
    return sock
