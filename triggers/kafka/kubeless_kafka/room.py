"""How much memory the records of one function may take, of what all functions of a trigger share."""

from __future__ import annotations

_MIB = 1024 * 1024
# With what the process itself needs, less than the 256 MiB that a consumer is given by default.
_ALL = 64 * _MIB
_MOST = 16 * _MIB
# A few records of the size that Kafka takes by default.
_LEAST = 2 * _MIB
_FETCH = 4 * _MIB


def payload(functions: int) -> int:
    """Bytes of the records that are with one of so many functions, or wait for it."""
    return max(_LEAST, min(_MOST, _ALL // max(1, functions)))


def fetched(functions: int) -> int:
    """Bytes that its client may fetch ahead."""
    return payload(functions) // 2


def fetch(functions: int) -> int:
    """Bytes that one answer of a broker may have, but for a single record that is larger."""
    return min(_FETCH, fetched(functions))
