"""Calling a function through the API server's proxy to its Service.

A call is sent once. It is sent again only where surely no byte of it reached the function: the
Service has no endpoints yet, or the connection to the pod was refused. Both happen for a moment
around the first call, while the cluster's network learns of a new pod.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from kubeless_api.names import PORT_NAME
from kubeless_cli.connection import Connection
from kubeless_cli.errors import Problem

# A day: the function's own timeout ends a call, never this side.
LONGEST_SILENCE = 86_400.0
RETRY_SECONDS = 2.0
RETRY_PAUSE = 0.1

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What came back. `by_cluster` says that the API server answered, not the function."""

    status: int
    phrase: str
    body: bytes
    by_cluster: bool = False
    message: str = ""


def event_headers(data: bytes | None, now: datetime) -> dict[str, str]:
    """The event-* headers of a call, and its Content-Type.

    The type is JSON only for a JSON object or null, as it always was; everything else is a form.
    """
    headers = {
        "event-id": uuid.uuid4().hex,
        "event-time": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "event-namespace": "cli.kubeless.io",
        "Accept": "*/*",
    }
    if data is not None:
        kind = _JSON if is_json_object(data) else _FORM
        headers |= {"Content-Type": kind, "event-type": kind}
    return headers


def is_json_object(data: bytes) -> bool:
    """Whether the data is a JSON object or null."""
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return value is None or isinstance(value, dict)


def proxy_path(namespace: str, name: str, path: str) -> str:
    """Where the API server proxies `path` of the function's Service.

    Raises Problem for a path with '.' or '..' in it, also written in another way: what lies between here
    and the function would follow it, and end at another resource of the API server.
    """
    plain = path
    for _ in range(4):
        plain = unquote(plain)
    if {".", ".."} & set(plain.replace("\\", "/").split("/")):
        raise Problem(
            f"--path: found {path!r}; a path must not have '.' or '..' between its slashes."
        )
    rest = quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    return f"/api/v1/namespaces/{namespace}/services/{name}:{PORT_NAME}/proxy/{rest}"


def call(
    connection: Connection,
    name: str,
    *,
    method: str,
    path: str,
    data: bytes | None,
    headers: dict[str, str],
) -> Answer:
    """Call the function and return what it, or the API server, answered. Raises Unreachable."""
    parts = urlsplit(path)
    target = proxy_path(connection.namespace, name, parts.path)
    if parts.query:
        target += f"?{parts.query}"
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        response = connection.client.request(
            method, target, body=data, headers=headers, timeout=LONGEST_SILENCE
        )
        answer = read(response.status, response.reason or "", response.data)
        if not (answer.by_cluster and never_arrived(answer)) or time.monotonic() > deadline:
            return answer
        time.sleep(RETRY_PAUSE)


def read(status: int, phrase: str, body: bytes) -> Answer:
    """Tell the API server's own errors from the function's answers.

    Its errors are Status objects that name the Service, or speak of reaching it.
    """
    if status < 400:
        return Answer(status, phrase, body)
    try:
        obj: Any = json.loads(body)
    except (ValueError, RecursionError):
        obj = None
    if isinstance(obj, dict) and obj.get("kind") == "Status" and obj.get("apiVersion") == "v1":
        message = str(obj.get("message") or "")
        return Answer(status, phrase, body, by_cluster=True, message=message)
    text = body[:2000].decode("utf-8", "replace").strip()
    if re.match(r"error trying to reach service: ", text, re.IGNORECASE):
        return Answer(status, phrase, body, by_cluster=True, message=text)
    return Answer(status, phrase, body)


def never_arrived(answer: Answer) -> bool:
    """Whether the API server says that it could not even connect."""
    message = answer.message
    return "no endpoints available for service" in message or (
        "error trying to reach service" in message.lower()
        and "dial tcp" in message
        and ("connection refused" in message or "no route to host" in message)
    )
