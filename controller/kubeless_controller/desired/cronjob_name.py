"""What a trigger's CronJob is called: as the original called it, or so that a second trigger has one of its own."""

from __future__ import annotations

from kubeless_controller.desired.owned import digest

# A CronJob's Jobs have its name and eleven characters more, and must fit into a label's value.
MAX_LENGTH = 52
_PREFIX = "trigger-"
_HASH_LENGTH = 10


def first(function: str) -> str:
    """The name that the first trigger of a function takes."""
    name = f"{_PREFIX}{function}"
    return name if len(name) <= MAX_LENGTH else _hashed(function, digest(function))


def second(function: str, trigger: str) -> str:
    """The name for a trigger of a function that has another one."""
    return _hashed(function, digest([function, trigger]))


def _hashed(function: str, suffix: str) -> str:
    room = MAX_LENGTH - len(_PREFIX) - 1 - _HASH_LENGTH
    return f"{_PREFIX}{function[:room].rstrip('-')}-{suffix}"
