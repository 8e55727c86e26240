"""What a handler is called with: the event and the context.

Both are plain dicts that print their values. Only ``event['extensions']`` knows
a trick: its ``request`` is made when somebody looks, because making it imports
Flask and costs more than the rest of a call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from kubeless_runtime.config import Config

JSON = "application/json"

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class InvalidJson(Exception):
    """The body is not the JSON its media type promises; the message has the position."""


def build(environ: dict[str, Any], body: bytes, request: Callable[[], Any]) -> dict[str, Any]:
    """The event of one request. Raises InvalidJson."""
    get = environ.get
    data: Any = body
    content_type = get("CONTENT_TYPE", "")
    if content_type and media_type(content_type) == JSON:
        data = parse(body) if body else None
    return {
        "data": data,
        "event-id": get("HTTP_EVENT_ID", get("HTTP_CE_ID")),
        "event-type": get("HTTP_EVENT_TYPE", get("HTTP_CE_TYPE")),
        "event-time": get("HTTP_EVENT_TIME", get("HTTP_CE_TIME")),
        "event-namespace": get("HTTP_EVENT_NAMESPACE", get("HTTP_CE_SOURCE")),
        "extensions": Extensions(request),
    }


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header, without parameters."""
    if content_type == JSON:
        return JSON
    return content_type.partition(";")[0].strip().lower()


def parse(body: bytes) -> Any:
    """JSON in UTF-8, -16 or -32. Raises InvalidJson."""
    if body.isascii():
        # The ordinary case without what ``json.loads`` does about encodings and white space;
        # whatever is not exactly one value is left to it.
        text = body.decode()
        try:
            value, end = _scan(text, 0)
        except (StopIteration, ValueError):
            end = -1
        except RecursionError as error:
            raise InvalidJson("nested too deeply") from error
        if end == len(text):
            return value
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno} (char {error.pos})"
        raise InvalidJson(f"{error.msg}: {where}") from error
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not {error.encoding}: byte {error.start}") from error
    except RecursionError as error:
        raise InvalidJson("nested too deeply") from error


def context(config: Config) -> dict[str, Any]:
    """The context that every call gets a copy of."""
    return {
        "function-name": config.function,
        "timeout": config.timeout,
        "runtime": config.runtime,
        "memory-limit": config.memory_limit,
    }


class Extensions(dict[str, Any]):
    """``{'request': <the request>}``, whose request is made at the first look.

    Every way to read a value goes through here; C code that reads dicts directly
    (``dict(x)``, ``{**x}``, ``json.dumps``) sees that ``__iter__`` is overridden
    and takes the public methods too.
    """

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        dict.__setitem__(self, "request", None)
        self._make: Callable[[], Any] | None = make

    def _fill(self) -> None:
        make, self._make = self._make, None
        if make is not None and super().__contains__("request"):
            super().__setitem__("request", make())

    def __getitem__(self, key: str) -> Any:
        self._fill()
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "request":
            self._make = None
        super().__setitem__(key, value)

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        self._fill()
        return super().__ne__(other)

    __hash__ = None

    def __or__(self, other: Any) -> Any:
        self._fill()
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        self._fill()
        return other | dict(self)

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's."""
        self._fill()
        return super().get(key, default)

    def items(self) -> Any:
        """As a dict's."""
        self._fill()
        return super().items()

    def values(self) -> Any:
        """As a dict's."""
        self._fill()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """A plain dict."""
        self._fill()
        return dict(super().items())

    def pop(self, *arguments: Any) -> Any:
        """As a dict's."""
        self._fill()
        return super().pop(*arguments)

    def popitem(self) -> tuple[str, Any]:
        """As a dict's."""
        self._fill()
        return super().popitem()

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As a dict's."""
        self._fill()
        return super().setdefault(key, default)

    def __reduce__(self) -> Any:
        self._fill()
        return dict, (dict(super().items()),)
