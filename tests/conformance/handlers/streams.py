"""Streams what the path names."""

import threading

go = threading.Event()
closed = []


def handler(event, context):
    path = event["extensions"]["request"].path
    if path == "/go":
        go.set()
        return "gone"
    if path == "/closed":
        return len(closed)
    return {"/waiting": waiting, "/failing": failing, "/endless": endless}[path]()


def waiting():
    """The second part only after a call of /go."""
    yield "first"
    go.wait()
    yield b""
    yield "second é"


def failing():
    yield "part"
    raise ValueError("half-way")


def endless():
    try:
        while True:
            yield b"x" * 65536
    finally:
        closed.append(True)
