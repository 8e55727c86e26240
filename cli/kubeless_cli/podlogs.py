"""The log of one container of one pod, and whether there can be one yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubeless_cli.connection import Connection

Object = dict[str, Any]

# A quiet function writes nothing for long.
LONGEST_SILENCE = 86_400.0


def containers(pod: Object) -> list[str]:
    """The names of a pod's containers, those that run before the others last."""
    spec = pod["spec"]
    return [
        item["name"] for key in ("containers", "initContainers") for item in spec.get(key) or []
    ]


def container_state(pod: Object, container: str) -> str:
    """What keeps a container from having a log: its waiting reason and message; "" when nothing.

    A container that waits to be restarted has a log: the one of its last run.
    """
    status = pod.get("status") or {}
    for key in ("containerStatuses", "initContainerStatuses"):
        for item in status.get(key) or []:
            if item["name"] == container:
                state = item.get("state") or {}
                waiting = state.get("waiting")
                if not waiting or item.get("restartCount") or item.get("lastState"):
                    return ""
                return _described(f"{container} is waiting", waiting) + _init_state(status)
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _described("not scheduled", condition)
    return f"{status.get('phase', 'Pending')}: {container} has not been started yet"


def _init_state(status: Object) -> str:
    """Which init container is at work, or failed, while the function waits for it."""
    for item in status.get("initContainerStatuses") or []:
        state = item.get("state") or {}
        for kind in ("running", "waiting", "terminated"):
            detail = state.get(kind)
            if detail is not None and detail.get("reason") != "Completed":
                return _described(f"; init container {item['name']} is {kind}", detail)
    return ""


def _described(what: str, detail: Object) -> str:
    words = [str(detail[key]) for key in ("reason", "message") if detail.get(key)]
    return ": ".join([what, *words])


class Stream:
    """The lines of one container. After `lines` ended, `error` says what went wrong."""

    def __init__(self, connection: Connection, pod: Object, query: dict[str, str]) -> None:
        self.pod = str(pod["metadata"]["name"])
        self.error = ""
        self._connection = connection
        self._query = query

    def lines(self) -> Iterator[bytes]:
        """Each line with its newline, as it comes."""
        from urllib3.exceptions import HTTPError

        from kubeless_kube.errors import Unreachable, error_from_response
        from kubeless_kube.resources import PODS

        path = PODS.path(self._connection.namespace, self.pod, "log")
        try:
            response = self._connection.client.request(
                "GET",
                path,
                query=self._query,
                headers={"Accept": "*/*"},
                timeout=LONGEST_SILENCE,
                stream=True,
            )
            try:
                if response.status != 200:
                    answer = error_from_response(
                        response.status, response.reason or "", response.read() or b""
                    )
                    self.error = f"{self.pod}: {answer.message or answer.reason}"
                    return
                rest = b""
                for chunk in response.stream(65536):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line + b"\n"
                if rest:
                    yield rest + b"\n"
            finally:
                response.close()
        except (Unreachable, HTTPError, OSError) as error:
            self.error = f"{self.pod}: the log broke off: {error}"
