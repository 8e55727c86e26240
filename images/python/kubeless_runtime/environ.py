"""A request's head as a WSGI environ (PEP 3333), from the HTTP server's ASGI scope.

- A header value with other characters than ASCII is empty.
- A header with an underscore in its name is dropped: here it could not be told from
  the one with a hyphen, and would get past a proxy that guards that.
- A header that came more than once is joined by commas (cookies by semicolons); of
  Content-Type and Content-Length the first counts.
- Where the body is chunked there is no Content-Length (RFC 9112, 6.3).
"""

from __future__ import annotations

import re
from typing import Any

_PROTOCOLS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1"}

#: Headers that have no HTTP_ before their name in an environ.
_BARE = ("CONTENT_TYPE", "CONTENT_LENGTH")

#: Keys of header names seen so far, so that they are made once.
_keys: dict[bytes, str] = {}
_MAX_KEYS = 1000

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def build(scope: dict[str, Any]) -> dict[str, Any]:
    """The environ of one request; what concerns its body is for the caller to add."""
    path: bytes = scope["raw_path"]
    if b"%" in path:
        path = _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), path)
    server, client = scope["server"], scope["client"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": _PROTOCOLS.get(scope["http_version"], "HTTP/1.1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": client[1],
        "wsgi.url_scheme": "http",
    }
    headers = scope["headers"]
    expected = len(environ) + len(headers)
    try:
        for name, value in headers:
            environ[_keys[name]] = value.decode("ascii")
    except (KeyError, UnicodeDecodeError):
        expected = 0
    if len(environ) != expected:
        _add(environ, headers)
    if "HTTP_TRANSFER_ENCODING" in environ:
        environ.pop("CONTENT_LENGTH", None)
    return environ


def _add(environ: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    """Add headers of which some are new, dropped, repeated or not ASCII."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = _keys.get(name) or _key(name)
        text = value.decode("latin-1")
        if not text.isascii():
            text = ""
        if key not in found:
            found[key] = text
        elif key not in _BARE:
            found[key] += (";" if key == "HTTP_COOKIE" else ",") + text
    found.pop("", None)
    environ.update(found)


def _key(name: bytes) -> str:
    text = name.decode("latin-1")
    if "_" in text:
        return ""
    key = text.upper().replace("-", "_")
    if key not in _BARE:
        key = f"HTTP_{key}"
    if len(_keys) < _MAX_KEYS:
        _keys[name] = key
    return key
