"""One call, from its request to the end of its answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from kubeless_call.answer import Answer
from kubeless_call.connection import address_of, connect
from kubeless_call.errors import CallError


def call(url: str, headers: Sequence[str], payload: bytes | None, seconds: float) -> int:
    """Call ``url`` and return the status; POST with a payload, GET without one.

    Raises CallError when the status is not 2xx, or nothing whole comes back within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    host, port, path = address_of(url)
    lines = [
        f"{'GET' if payload is None else 'POST'} {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "User-Agent: kubeless-call",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        *headers,
    ]
    if payload is not None:
        lines.append(f"Content-Length: {len(payload)}")
    head = "\r\n".join([*lines, "", ""]).encode()
    with connect(host, port, deadline) as connection:
        answer = Answer(connection, deadline)
        try:
            connection.settimeout(max(0.1, deadline - time.monotonic()))
            # A server may answer, and close, before it has read everything: 413, say.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head + (payload or b""))
            answer.read()
        except CallError as error:
            raise CallError(f"{url}: {error}") from error
        except TimeoutError as error:
            told = f"answered {answer.status} and " if answer.status else ""
            raise CallError(f"{url}: {told}did not end within {seconds:g} s") from error
        except OSError as error:
            raise CallError(f"{url}: the connection broke: {error}") from error
    if not 200 <= answer.status < 300:
        said = " ".join(answer.beginning.decode("utf-8", "replace").split())
        raise CallError(
            f"{url}: answered {answer.status} {answer.reason}".rstrip()
            + (f": {said}" if said else "")
        )
    return answer.status
