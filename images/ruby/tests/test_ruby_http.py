"""Requests that puma alone would take."""

from __future__ import annotations

import pytest

from .conftest import Serve

CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" + CHUNKS,
        b"POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n" + CHUNKS,
    ],
    ids=["with a length too", "in HTTP/1.0"],
)
def test_chunks_whose_end_others_see_elsewhere_are_refused(serve: Serve, sent: bytes) -> None:
    server = serve("def handler(*) = 'reached'")
    received = server.raw(sent, timeout=3)
    assert received.split(b" ")[1] == b"400"
    assert b"reached" not in received
    assert server.get().text == "reached"
