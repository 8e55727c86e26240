"""What Kafka takes as the name of a topic."""

from __future__ import annotations

import re

from kubeless_api.conditions import INVALID_SPEC
from kubeless_api.errors import SpecError
from kubeless_api.fields import wrong

MAX_TOPIC_LENGTH = 249
EXPECTED = "1 to 249 letters, digits, '.', '_' and '-' (and neither '.' nor '..'), like 'orders'"
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def is_topic(name: str) -> bool:
    """Say whether a topic can have this name."""
    return _TOPIC.fullmatch(name) is not None and name not in (".", "..")


def check(name: str, path: str) -> str:
    """The name, as it is. Raises SpecError with ``path`` when no topic can have it."""
    if not is_topic(name):
        raise wrong(path, name or None, EXPECTED)
    return name


def dead_letters_of(topic: str) -> str:
    """Where the dead letters of a topic go, when nothing else is said. Raises SpecError where the name is too long."""
    name = f"{topic}.dlq"
    if not is_topic(name):
        raise SpecError(
            INVALID_SPEC,
            f"spec.deadLetterTopic: found nothing, and the name that would be taken, {name!r}, is longer than the "
            f"{MAX_TOPIC_LENGTH} characters that a topic's name may have; name another topic there",
        )
    return name
