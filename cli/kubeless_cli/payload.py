"""The payload of a cronjob trigger: any JSON value, kept as it was written; no cluster.

What the cluster would not keep is refused: numbers that 64 bits do not hold, halves of surrogate
pairs, keys given twice, and what is larger than a ConfigMap takes.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

from kubeless_cli import files

# A ConfigMap holds 1 MiB, and there is more in it than the payload.
MAX_BYTES = 900 * 1024


class PayloadError(ValueError):
    """The payload can't be used; the message says why and what to do."""


def from_text(text: str) -> Any:
    """The value of JSON text; None for none ('' and null). Raises PayloadError."""
    return _checked(parse_json(text)) if text else None


def from_file(location: str) -> Any:
    """The value in a JSON or YAML file, `-` for standard input. Raises PayloadError.

    A name ending in .json is JSON, one ending in .yaml or .yml YAML; what has another name is YAML
    where it is not JSON.
    """
    name = "standard input" if location == "-" else f"'{location}'"
    try:
        data = sys.stdin.buffer.read() if location == "-" else files.read_file(location, _MAX_READ)
        text = data.decode("utf-8-sig")
    except files.TooLarge as error:
        raise PayloadError(f"{error}; {_LIMIT}") from None
    except files.FileError as error:
        raise PayloadError(str(error)) from None
    except UnicodeDecodeError as error:
        raise PayloadError(f"{name} is not UTF-8 text: byte {error.start} can't be read.") from None
    if not text.strip():
        raise PayloadError(f"{name} is empty; expected JSON or YAML.")
    try:
        return _checked(_parse(text, location.lower()))
    except PayloadError as error:
        raise PayloadError(f"{name}: {error}") from None


def _parse(text: str, name: str) -> Any:
    from kubeless_cli.yaml12 import parse_yaml

    if name.endswith(".json"):
        return parse_json(text)
    if name.endswith((".yaml", ".yml")):
        return parse_yaml(text)
    try:
        return parse_json(text)
    except PayloadError as error:
        if text.lstrip()[0] in "{[":  # JSON with a mistake in it, more likely than YAML
            try:
                return parse_yaml(text)
            except PayloadError:
                raise error from None
        return parse_yaml(text)


def parse_json(text: str) -> Any:
    """The value of JSON text, numbers and characters as they are. Raises PayloadError."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=whole_number,
            parse_float=number,
            parse_constant=_no_number,
        )
    except json.JSONDecodeError as error:
        raise PayloadError(
            f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
            f"{_found(error)}. A text is written with quotes: '\"text\"'."
        ) from None
    except RecursionError:
        raise PayloadError("it is nested too deeply.") from None


def whole_number(text: str) -> int:
    """An integer as it is written. Raises PayloadError when the cluster would change it."""
    # Python refuses to read numbers of thousands of digits at all.
    value = int(text) if len(text) <= 20 else 2**64
    if not -(2**63) <= value < 2**63:
        raise _not_kept(text)
    return value


def number(text: str) -> float:
    """A number as it is written. Raises PayloadError when the cluster would change it."""
    value = float(text)
    if Decimal(text) != Decimal(repr(value)):
        raise _not_kept(text)
    return value


def _not_kept(text: str) -> PayloadError:
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    return PayloadError(
        f"the number {shown} would be changed: the cluster keeps integers of 64 bits and decimals "
        f'of about 16 digits. Write it as a text, "{shown}".'
    )


def _no_number(text: str) -> None:
    raise PayloadError(f"{text} is not JSON; write null, or a text.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise PayloadError(f"the key '{key}' is given twice; expected it once.")
        found[key] = value
    return found


def _found(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos : error.pos + 20].splitlines()
    return f", found '{rest[0]}'" if rest and rest[0] else ""


def _checked(value: Any) -> Any:
    """The value, when a trigger can hold it."""
    size = 0
    try:
        # Part by part: a few lines of YAML with aliases may stand for more than the memory holds.
        for part in json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).iterencode(value):
            size += len(part.encode())
            if size > MAX_BYTES:
                raise PayloadError(f"it is too large; {_LIMIT}")
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise PayloadError(
            f"it has half a surrogate pair (\\u{half:04x}), which is no character; expected UTF-8 "
            "text, or both halves."
        ) from None
    except RecursionError:
        raise PayloadError("it is nested too deeply.") from None
    return None if value == "" else value


_MAX_READ = 16 * MAX_BYTES
_LIMIT = (
    f"a trigger holds at most {MAX_BYTES // 1024} KiB, because what calls reads it from a "
    "ConfigMap.\nLet the function read the data from where it is, and give it the address."
)
