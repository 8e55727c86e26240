"""Results on standard output, whole or with BrokenPipeError.

Python's own writing is not enough: with PYTHONUNBUFFERED set, as container images have it, text of
which a pipe took only a part is lost without an error.
"""

from __future__ import annotations

import sys


def emit(result: str | bytes) -> None:
    """Write a result and a newline. Raises BrokenPipeError when the reader went away."""
    data = result.encode(sys.stdout.encoding, "replace") if isinstance(result, str) else result
    write(data + b"\n")


def write(data: bytes) -> None:
    """Write bytes as they are. Raises BrokenPipeError when the reader went away."""
    sys.stdout.flush()
    rest = memoryview(data)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) or 0 :]
    sys.stdout.buffer.flush()
