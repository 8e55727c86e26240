"""A function for consumers that keeps what it gets and answers as a test says."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from support import pod_programs
from support.kafka_desk import request
from support.waiting import wait_for

Object = dict[str, Any]
SERVER = Path(__file__).with_name("kafka_function_server.py")
CONTROL = 8081


@dataclass(frozen=True)
class Call:
    """One call; times in seconds since the epoch, ``ended`` None while it runs."""

    at: float
    ended: float | None
    status: int
    path: str
    headers: Mapping[str, str]
    body: bytes
    pod: str

    @property
    def event(self) -> str:
        """`<topic>/<partition>/<offset>`."""
        return self.headers.get("event-id", "")

    @property
    def offset(self) -> int:
        """The record's offset."""
        return int(self.event.rpartition("/")[2])


@dataclass(frozen=True)
class Function:
    """The program, and what it has seen."""

    program: pod_programs.Program

    @property
    def url(self) -> str:
        """Where consumers find it."""
        return self.program.url

    def rules(self, *rules: Object) -> None:
        """How to answer from now on; the first rule that fits counts, 200 without one."""
        status, _ = request(self.program.address, "PUT", "/rules", json.dumps(rules), CONTROL)
        assert status == 200

    def reset(self) -> None:
        """Forget all calls and rules; has one pod again."""
        if len(self.program.pods()) != 1:
            self.program.scale(1)
        self.rules()
        status, _ = request(self.program.address, "DELETE", "/calls", port=CONTROL)
        assert status == 200

    def calls(self) -> list[Call]:
        """What it got, in order."""
        _, content = request(self.program.address, "GET", "/calls", port=CONTROL)
        return [
            Call(**{**call, "body": base64.b64decode(call["body"])}) for call in json.loads(content)
        ]

    def offsets(self) -> list[int]:
        """The offsets of all calls, in order."""
        return [call.offset for call in self.calls()]

    def wait_for_calls(self, count: int, seconds: float = 30) -> list[Call]:
        """Wait until there were at least so many."""

        def enough() -> list[Call]:
            found = self.calls()
            return found if len(found) >= count else []

        return wait_for(enough, f"{count} calls of {self.program.name}", seconds)


def start(client: Client, namespace: str, name: str = "function") -> Function:
    """Start one with one pod, and wait until it serves."""
    program = pod_programs.start(client, namespace, name, SERVER, ports=(8080, CONTROL))
    program.wait()
    return Function(program)
