"""Calls to functions over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)

CONNECT_SECONDS = 5.0
# The runtime ends a handler at its timeout and says so: it shall have the time to.
MARGIN_SECONDS = 5.0
# Less than servers keep idle connections (Node.js 5 s): one that the server is closing would fail the call.
IDLE_SECONDS = 3.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
USER_AGENT = "kubeless-kafka-trigger"


class UnreachableError(Exception):
    """Nobody was there to take the call: not a byte of it was sent."""


class BrokenError(Exception):
    """The call was sent, or may have been, and there is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; ``body`` is None when it is larger than MAX_ANSWER_BYTES."""

    status: int
    reason: str
    retry_after: str | None
    content_type: str
    body: bytes | None

    @property
    def text(self) -> str:
        """Status and what was said, short, for a dead letter."""
        said = (self.body or b"")[:300].decode("utf-8", "replace").strip()
        return f"{self.status} {self.reason}" + (f": {said}" if said else "")


def session() -> ClientSession:
    """The client for all functions: it keeps connections, follows no redirect and knows no cookies."""
    return ClientSession(
        # How many calls there are at once is decided where they are made.
        connector=TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=5),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
        read_bufsize=2**16,
    )


def timeouts(seconds: float) -> ClientTimeout:
    """The limits of a call to a function with this timeout."""
    # Connecting begins with finding the name.
    return ClientTimeout(total=seconds + MARGIN_SECONDS, connect=CONNECT_SECONDS)


async def call(
    client: ClientSession,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    timeout: ClientTimeout,
) -> Answer:
    """POST and read the answer. Raises UnreachableError or BrokenError."""
    try:
        async with client.post(
            url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            found = response.headers
            return Answer(
                response.status,
                response.reason or "",
                found.get("Retry-After"),
                found.get("Content-Type", ""),
                await _body(response),
            )
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise UnreachableError(_said(error)) from error
    except TimeoutError as error:
        raise BrokenError(f"no answer within {timeout.total:g} s") from error
    except (ClientError, asyncio.IncompleteReadError, OSError, ValueError) as error:
        raise BrokenError(_said(error)) from error


async def _body(response: ClientResponse) -> bytes | None:
    """The whole body; None, with the connection given up, when it is too large to keep."""
    length = response.content_length
    if length is not None and length <= MAX_ANSWER_BYTES:
        return await response.read()
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            return None
    return b"".join(parts)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
