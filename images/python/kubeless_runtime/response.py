"""What a handler returned or raised, as status, headers and body.

Kinds are told by shape, not by class: the Flask or Bottle that a function brings
is not the server's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Headers = list[tuple[str, str]]

TEXT: Headers = [("content-type", "text/html; charset=utf-8")]
PLAIN: Headers = [("content-type", "text/plain; charset=utf-8")]
JSON: Headers = [("content-type", "application/json")]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _encoder() -> Any:
    """What ``json.dumps`` makes for every call, made once; None where it is not in C.

    Without its bookkeeping of what is being encoded: a value that contains itself ends in a
    RecursionError.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return None
    like = json.JSONEncoder()
    quote = json.encoder.encode_basestring_ascii
    return make(None, like.default, quote, None, like.key_separator, like.item_separator, False,
                False, True)  # fmt: skip


_dump = _encoder()


class ReturnError(Exception):
    """A handler returned what can't be sent."""


class Answer(NamedTuple):
    """What goes to the client. ``body`` is bytes, or an iterator for a stream."""

    status: int
    headers: Headers
    body: Any


def from_result(result: Any, environ: dict[str, Any]) -> Answer:
    """The answer for a handler's return value. Raises ReturnError."""
    if isinstance(result, str):
        return Answer(200, TEXT, _encode(result))
    if isinstance(result, dict | list | int | float):
        return Answer(200, JSON, _json(result))
    if result is None:
        return Answer(200, TEXT, b"")
    if isinstance(result, bytes | bytearray | memoryview):
        return Answer(200, TEXT, bytes(result))
    if isinstance(result, tuple):
        return _from_tuple(result, environ)
    response = from_response(result, environ)
    if response is not None:
        return response
    if hasattr(result, "__next__"):
        return Answer(200, TEXT, result)
    if hasattr(result, "read"):
        return Answer(200, TEXT, _chunks(result))
    raise ReturnError(
        f"the handler returned a {type(result).__name__}; it may return text, bytes, a JSON value, "
        "nothing, a response, (body, status, headers), or an iterator"
    )


def from_response(value: Any, environ: dict[str, Any]) -> Answer | None:
    """The answer for a framework's response or HTTP exception; None for anything else."""
    if hasattr(value, "get_response") and hasattr(value, "code"):  # werkzeug's HTTPException
        value = value.get_response(environ)
    if hasattr(value, "get_wsgi_response"):  # Flask's, werkzeug's
        body, status, headers = value.get_wsgi_response(environ)
        kept = _headers(headers, length=environ["REQUEST_METHOD"] == "HEAD")
        code = _status(int(status.split(" ", 1)[0]))
        if getattr(value, "is_streamed", False):
            return Answer(code, kept, iter(body))
        return Answer(code, kept, b"".join(body))
    if hasattr(value, "headerlist") and hasattr(value, "status_code"):  # Bottle's
        inner = from_result(value.body if value.body != [] else None, environ)
        headers = _headers(value.headerlist)
        if not any(name == "content-type" for name, _ in headers):
            headers += inner.headers
        return Answer(_status(value.status_code), headers, inner.body)
    return None


def error(status: int, message: str) -> Answer:
    """An answer of the server's own."""
    return Answer(status, PLAIN, message.encode())


def _from_tuple(result: tuple[Any, ...], environ: dict[str, Any]) -> Answer:
    """(body, status), (body, headers) or (body, status, headers), as Flask has it; else JSON."""
    match result:
        case (body, int() as status) if not isinstance(status, bool):
            headers: Any = ()
        case (body, int() as status, dict() | list() | None as headers):
            pass
        case (body, dict() as headers) | (body, list() as headers):
            status = 0
        case _:
            return Answer(200, JSON, _json(result))
    inner = from_result(body, environ)
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    kept = _headers(pairs)
    names = {name for name, _ in kept}
    kept += [(name, value) for name, value in inner.headers if name not in names]
    return Answer(_status(status) if status else inner.status, kept, inner.body)


def _status(status: Any) -> int:
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ReturnError(f"the handler returned the status {status!r}; expected 200 to 599")
    return status


def _headers(pairs: Any, *, length: bool = False) -> Headers:
    """Checked headers in lower case, without the ones the server decides itself."""
    found = []
    for key, content in pairs:
        name, value = str(key).lower(), str(content).strip()
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ReturnError(
                f"the handler returned the header {name!r}: {value!r}; "
                "names are tokens and values printable ASCII"
            )
        if name in ("connection", "transfer-encoding") or (name == "content-length" and not length):
            continue
        found.append((name, value))
    return found


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ReturnError(f"the handler returned text that is no Unicode: {error}") from error


def _json(value: Any) -> bytes:
    if _dump is not None:
        try:
            return "".join(_dump(value, 0)).encode()
        except (TypeError, ValueError, RecursionError):
            pass  # json.dumps says better why
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ReturnError(f"the handler returned a value that is no JSON: {error}") from error


def _chunks(file: Any) -> Iterator[Any]:
    try:
        while chunk := file.read(65536):
            yield chunk
    finally:
        file.close()
