"""Malformed requests for a while: the server lives, and nobody sees another's data.

Valid requests with secrets in their headers and bodies run beside; a secret in
the answer to any other request is a leak. KUBELESS_FUZZ_SECONDS and
KUBELESS_FUZZ_SEED choose how long and what; a failure names its seed.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.client import BROKEN, Client, eventually, receive
from conformance.server import Server

SECONDS = float(os.environ.get("KUBELESS_FUZZ_SECONDS", "5"))
SEED = int(os.environ.get("KUBELESS_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
FUZZERS = 3
SECRET = "s3cret-"

VALID = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
)
PIECES = (
    b"\r\n", b"\n", b"\r", b"\0", b"\xff", b" ", b"\t", b":", b"%", b"%00", b"HTTP/1.1", b"HTTP/2.0",
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n",
    b"Connection: close\r\n", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n",
    b"ffffffffffffffff\r\n", b"0\r\n\r\n", b"-1\r\n", b"event-id: \xc3\xa9\r\n", b"Host: \r\n",
    b"Content-Type: application/json\r\n", b"Content-Type: multipart/form-data; boundary=\r\n",
    b"A" * 5000, b"X: " + b"y" * 20000 + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)  # fmt: skip


def cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def insert(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(PIECES) + data[place:]


def remove(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.randint(1, 20) :]


def pipeline(chance: random.Random, data: bytes) -> bytes:
    return data + b"".join(chance.choices(VALID, k=chance.randint(1, 5)))


def noise(chance: random.Random, data: bytes) -> bytes:
    return chance.randbytes(chance.randint(1, 500))


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    cut, flip, insert, remove, pipeline, noise
)  # fmt: skip


def request(chance: random.Random) -> bytes:
    """A valid request that a few mutations went over."""
    data = chance.choice(VALID)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(MUTATIONS)(chance, data) or b"\r\n"
    return data


def attack(chance: random.Random, server: Client, end: float) -> tuple[int, list[bytes]]:
    """Send malformed requests until ``end``; how many, and the answers with a secret in them."""
    count, leaks = 0, []
    while time.monotonic() < end:
        data = request(chance)
        with contextlib.suppress(OSError), server.socket(0.1) as sock:
            sock.sendall(data)
            if chance.random() < 0.2:  # leave at once, with a reset
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                if chance.random() < 0.7:
                    sock.shutdown(socket.SHUT_WR)
                answer = receive(sock)
                if SECRET.encode() in answer:
                    leaks.append(answer)
        count += 1
    return count, leaks


def confide(number: int, server: Client, stop: threading.Event) -> tuple[int, list[str]]:
    """Send secrets and get them back; how many, and what was wrong."""
    count, wrong = 0, []
    while not stop.is_set():
        own = f"{SECRET}{number}-{count}-"
        body = f'["{own}"]'
        try:
            reply = server.post(body, "application/json", **{"event-id": own})
        except BROKEN as error:
            wrong.append(repr(error))
            continue
        seen = reply.text
        whole = reply.status == 200 and reply.json()["data"]["value"] == [own]
        named = whole and reply.json()["event"]["event-id"] == own
        if not named or seen.count(SECRET) != seen.count(own):
            wrong.append(seen)
        count += 1
    return count, wrong


def test_fuzz(start: Any) -> None:
    server = start("echo", timeout=2, env={"KUBELESS_ACCESS_LOG": "false"})
    before = server.workers() if isinstance(server, Server) else set()
    stop, end = threading.Event(), time.monotonic() + SECONDS
    with ThreadPoolExecutor(FUZZERS + 2) as pool:
        honest = [pool.submit(confide, number, server, stop) for number in range(2)]
        chances = [random.Random(f"{SEED}-{number}") for number in range(FUZZERS)]
        attacks = [pool.submit(attack, chance, server, end) for chance in chances]
        try:
            sent = [one.result() for one in attacks]
        finally:
            stop.set()
        confided = [one.result() for one in honest]
    seed = f"KUBELESS_FUZZ_SEED={SEED}"
    assert not [leak for _, leaks in sent for leak in leaks], seed
    assert not [one for _, wrong in confided for one in wrong], seed
    assert sum(count for count, _ in sent) > 10 * SECONDS, "too few requests to say anything"
    assert sum(count for count, _ in confided) > 10 * SECONDS
    eventually(lambda: server.get().status == 200, f"it serves, {seed}")
    for trouble in ("Traceback", "panicked", "ended unexpectedly"):
        assert trouble not in server.output(), seed
    if isinstance(server, Server):
        assert server.process.poll() is None, seed
        still = server.workers()
        # A body that never comes may cost its worker in a runtime whose reads can't be interrupted.
        assert still, seed
        assert still == before or "did not end when its time was over" in server.output(), seed


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_one_seed_is_one_sequence(mutation: Callable[[random.Random, bytes], bytes]) -> None:
    first, second = ([mutation(random.Random(SEED), one) for one in VALID] for _ in range(2))
    assert first == second
