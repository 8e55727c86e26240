"""The broker's probe, run against a server that gives answers as a broker does, and as none should."""

from __future__ import annotations

import os
import shutil
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.helm import KAFKA

API_VERSIONS, METADATA = 18, 3
#: Correlation id, no error, one kind of request.
KNOWN = struct.pack(">ihihhh", 7, 0, 1, API_VERSIONS, 0, 4)


def string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def numbers(values: list[int]) -> bytes:
    return struct.pack(f">i{len(values)}i", len(values), *values)


def metadata(*partitions: tuple[list[int], list[int]], correlation: int = 7) -> bytes:
    """An answer of version 1: two brokers, and one topic with (replicas, those in sync) by partition."""
    brokers = b"".join(
        struct.pack(">i", node) + string(f"kafka-{node}") + struct.pack(">ih", 9092, -1)
        for node in (0, 1)
    )
    parts = b"".join(
        struct.pack(">hii", 0, index, 1) + numbers(replicas) + numbers(in_sync)
        for index, (replicas, in_sync) in enumerate(partitions)
    )
    topic = struct.pack(">h", 0) + string("orders") + b"\0" + struct.pack(">i", len(partitions))
    topics = struct.pack(">i", 1) + topic + parts
    return struct.pack(">ii", correlation, 2) + brokers + struct.pack(">i", 0) + topics


class Broker(socketserver.ThreadingTCPServer):
    """Answers each request with what `answers` has for its key; closes where that is nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[int, bytes] = {API_VERSIONS: KNOWN, METADATA: metadata(([0, 1], [0, 1]))}
        self.asked: list[int] = []


class Handler(socketserver.StreamRequestHandler):
    """One connection, one request."""

    def handle(self) -> None:
        assert isinstance(self.server, Broker)
        (size,) = struct.unpack(">i", self.rfile.read(4))
        request = self.rfile.read(size)
        key, _version, correlation, client = struct.unpack_from(">hhih", request)
        assert (correlation, client) == (7, -1)
        self.server.asked.append(key)
        answer = self.server.answers.get(key, b"")
        if answer:
            self.wfile.write(struct.pack(">i", len(answer)) + answer)


@pytest.fixture(params=["coreutils", "busybox"], autouse=True)
def tools(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The probe's programs are Debian's, and those of the official image's Alpine."""
    if request.param == "busybox":
        busybox = shutil.which("busybox")
        if busybox is None:
            pytest.skip("needs busybox")
        folder = tmp_path_factory.mktemp("bin")
        for name in ("awk", "cat", "dd", "head", "od"):
            (folder / name).symlink_to(busybox)
        (folder / "bash").symlink_to("/bin/bash")
        monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def probe(
    folder: Path, port: int, what: str, node: int = 0, start: int = 100
) -> subprocess.CompletedProcess[str]:
    """Run the probe as in the pod of a node whose JVM was started at a time."""
    (folder / "stat").write_text(" ".join(["1", "(java)", *["0"] * 19, str(start), "0"]))
    text = (KAFKA / "files/probe.sh").read_text()
    for inside, here in (
        ("127.0.0.1/9096", f"127.0.0.1/{port}"),
        ("/proc/1/stat", str(folder / "stat")),
        ("/run/kafka/", f"{folder}/"),
    ):
        assert inside in text
        text = text.replace(inside, here)
    (folder / "probe.sh").write_text(text)
    return subprocess.run(
        ["bash", folder / "probe.sh", what],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "POD_NAME": f"kafka-{node}"},
        timeout=10,
    )


def test_a_broker_that_answers_is_alive(broker: Broker, tmp_path: Path) -> None:
    done = probe(tmp_path, broker.server_address[1], "alive")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert broker.asked == [API_VERSIONS]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        struct.pack(">ihihhh", 8, 0, 1, 18, 0, 4),  # of another request
        struct.pack(">ihihhh", 7, 35, 1, 18, 0, 4),  # an error
        struct.pack(">ih", 7, 0),  # cut off
    ],
)
def test_one_that_does_not_is_not(broker: Broker, tmp_path: Path, answer: bytes) -> None:
    broker.answers[API_VERSIONS] = answer
    for what in ("alive", "in-sync"):
        done = probe(tmp_path, broker.server_address[1], what)
        assert done.returncode != 0
        assert done.stdout == "the broker does not answer\n"
    assert METADATA not in broker.asked


def test_where_nobody_listens(tmp_path: Path) -> None:
    with Broker() as server:
        port = server.server_address[1]
    done = probe(tmp_path, port, "alive")
    assert (done.returncode, done.stdout) == (1, "the broker does not answer\n")


def test_a_node_is_ready_once_it_is_in_sync_and_then_stays_so(
    broker: Broker, tmp_path: Path
) -> None:
    port = broker.server_address[1]
    broker.answers[METADATA] = metadata(([0, 1], [1]), ([1, 0], [1]), ([0], [0]), ([1], []))
    behind = probe(tmp_path, port, "in-sync")
    assert (behind.returncode, behind.stdout) == (1, "not in sync yet: 2 partitions\n")
    # The other node is in sync where it has a replica, but for the last.
    assert probe(tmp_path, port, "in-sync", node=1).stdout == "not in sync yet: 1 partitions\n"
    assert probe(tmp_path, port, "in-sync", node=2).returncode == 0

    (tmp_path / "in-sync").unlink()
    broker.answers[METADATA] = metadata(([0, 1], [1, 0]), ([1], []))
    assert probe(tmp_path, port, "in-sync").returncode == 0
    broker.answers[METADATA] = metadata(([0, 1], [1]))
    broker.asked.clear()
    assert probe(tmp_path, port, "in-sync").returncode == 0
    assert broker.asked == [API_VERSIONS]
    # Another JVM must come into sync anew.
    assert probe(tmp_path, port, "in-sync", start=200).returncode == 1


@pytest.mark.parametrize(
    "answer", [b"", metadata()[:-3], metadata() + b"\0", metadata(correlation=8)]
)
def test_an_answer_that_cannot_be_read_says_nothing(
    broker: Broker, tmp_path: Path, answer: bytes
) -> None:
    broker.answers[METADATA] = answer
    assert probe(tmp_path, broker.server_address[1], "in-sync").returncode != 0
    assert not (tmp_path / "in-sync").exists()


def test_many_partitions_are_read_in_time(broker: Broker, tmp_path: Path) -> None:
    broker.answers[METADATA] = metadata(*[([0, 1, 2], [0, 1, 2])] * 5000)
    assert probe(tmp_path, broker.server_address[1], "in-sync").returncode == 0
