"""The image in its pod: who it runs as, what a kubelet does to it, and what its Service's callers see."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest

from conformance.client import BROKEN, Client, eventually
from conformance.languages import Language
from support.load import Load

pytestmark = pytest.mark.pod

ANY_USER = 12345
FOLDERS = ["/", "/etc", "/home", "/kubeless", "/opt/kubeless", "/run", "/tmp", "/usr", "/var/tmp"]


def status(client: Client) -> int:
    """Of a GET; 0 when nothing answers."""
    try:
        return client.get().status
    except BROKEN:
        return 0


@pytest.mark.core
def test_it_runs_as_any_user_without_rights_on_a_read_only_root(start: Any) -> None:
    security = {
        "runAsNonRoot": True,
        "runAsUser": ANY_USER,
        "runAsGroup": ANY_USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod = {"securityContext": security, "containers": []}
    server = start("inside", deployment={"spec": {"template": {"spec": pod}}})
    told = server.json(FOLDERS).json()
    fields = dict(re.findall(r"^(\w+):\s*(.*)$", told["status"], re.MULTILINE))
    assert set(fields["Uid"].split()) == {str(ANY_USER)}
    assert set(fields["Gid"].split()) == {str(ANY_USER)}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[kind], 16) == 0, kind
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert told["writable"] == ["/tmp"]


@pytest.mark.core
def test_timeouts_leave_the_pod_running(start: Any, language: Language) -> None:
    """Every kind of work, one after the other; a container that ended meanwhile fails the test's end."""
    server = start("work", timeout=1)
    for kind in (*language.interruptible, *language.waits):
        reply = server.post(kind)
        assert (reply.status, reply.text) == (408, "Request timeout exceeded"), kind
    for kind in language.holding:
        with contextlib.suppress(BROKEN):  # such work may take its own connection along
            assert server.post(kind).status == 408, kind
        eventually(lambda: status(server) == 200, "it serves again")
    assert server.container()["restartCount"] == 0


def test_sigterm_under_a_load_through_the_service_fails_no_request(start: Any) -> None:
    server = start("busy")
    service = server.service()
    eventually(lambda: status(service) == 200, "the Service has the pod")
    with Load(service.host, service.port, threads=8, seconds=90, body="0.2") as load:
        eventually(lambda: load.total() > 50, "the load runs")
        server.replace()
        eventually(server.gone, "the pod is replaced", 60, 0.2)
        after = load.total()
        eventually(lambda: load.total() > after + 50, "the load goes on")
    assert not load.failures, load.failures[:5]
