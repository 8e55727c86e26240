"""The consumer's configuration: config.json as the controller writes it, checked and frozen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = 1
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
OFFSETS = ("latest", "earliest")
OUTCOMES = ("Success", "Retry", "Wait", "DeadLetter")
# A status code, or a class of them.
_STATUS = re.compile(r"[1-5](xx|\d\d)")


class ConfigError(Exception):
    """The configuration cannot be used; the message names the field, what was found and what is expected."""


@dataclass(frozen=True)
class Security:
    """How to talk to brokers: the listener's protocol, and the SASL mechanism ('' without SASL)."""

    protocol: str = "PLAINTEXT"
    mechanism: str = ""


@dataclass(frozen=True)
class Function:
    """One function to call. ``url`` has no path, ``timeout`` is in seconds, ``group`` is its consumer group."""

    name: str
    url: str
    group: str
    timeout: float


@dataclass(frozen=True)
class Retry:
    """Attempts and the seconds between them; ``statuses`` (``404``, ``5xx``) go before the built-in table."""

    attempts: int
    initial_backoff: float
    max_backoff: float
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Batch:
    """Up to ``size`` records in a call, gathered for up to ``wait`` seconds."""

    size: int
    wait: float


@dataclass(frozen=True)
class Config:
    """All of config.json. ``batch`` is None for one record a call."""

    hash: str
    namespace: str
    trigger: str
    bootstrap_servers: str
    topic: str
    security: Security
    functions: tuple[Function, ...]
    start_offset: str
    retry: Retry
    dead_letter_topic: str
    response_topic: str
    batch: Batch | None
    max_in_flight: int
    max_uncommitted: int
    paused: bool


def load(path: Path) -> Config:
    """Read and check the file. Raises ConfigError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return parse(text)


def parse(text: str) -> Config:
    """The configuration in a JSON text. Raises ConfigError."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the configuration is not JSON: {error}") from error
    root = _Fields(document, "")
    found = root.number("version", integer=True, least=1)
    if found != VERSION:
        raise ConfigError(
            f"version: found {found:g}, expected {VERSION}: use the image of the controller's version"
        )
    functions = tuple(_function(fields) for fields in root.objects("functions"))
    for field in ("name", "group"):
        values = [getattr(function, field) for function in functions]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            raise ConfigError(f"functions: the {field} {twice[0]!r} is there twice, expected once")
    topic = root.text("topic")
    dead_letter_topic = root.text("deadLetterTopic")
    if dead_letter_topic == topic:
        raise ConfigError(
            f"deadLetterTopic: found {topic!r}, the trigger's own topic: dead letters would be delivered again"
        )
    batch = _batch(root.object("batch")) if root.value("batch") is not None else None
    response_topic = root.text("responseTopic", empty=True)
    if batch is not None and response_topic:
        raise ConfigError(
            f"responseTopic: found {response_topic!r} with a batch, expected one of the two: "
            "an answer belongs to one record"
        )
    if response_topic == topic:
        raise ConfigError(
            f"responseTopic: found {topic!r}, the trigger's own topic: answers would be delivered again"
        )
    return Config(
        hash=root.text("hash"),
        namespace=root.text("namespace"),
        trigger=root.text("trigger"),
        bootstrap_servers=root.text("bootstrapServers"),
        topic=topic,
        security=_security(root.object("security")),
        functions=functions,
        start_offset=root.choice("startOffset", OFFSETS),
        retry=_retry(root.object("retry")),
        dead_letter_topic=dead_letter_topic,
        response_topic=response_topic,
        batch=batch,
        max_in_flight=int(root.number("maxInFlight", integer=True, least=1)),
        max_uncommitted=int(root.number("maxUncommitted", integer=True, least=1)),
        paused=root.flag("paused"),
    )


class _Fields:
    """A JSON object whose fields are taken by type; ``where`` is its path for messages."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where or "the configuration", value, "an object")
        self._value: dict[str, Any] = value
        self._where = where

    def path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def value(self, name: str) -> Any:
        return self._value.get(name)

    def object(self, name: str) -> _Fields:
        return _Fields(self.value(name), self.path(name))

    def objects(self, name: str) -> list[_Fields]:
        value = self.value(name)
        if not isinstance(value, list):
            raise _wrong(self.path(name), value, "a list")
        return [_Fields(item, f"{self.path(name)}[{index}]") for index, item in enumerate(value)]

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not (value or empty):
            raise _wrong(self.path(name), value, "a text" if empty else "a text that is not empty")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self.value(name)
        if value not in choices:
            raise _wrong(
                self.path(name), value, "one of " + ", ".join(repr(one) for one in choices)
            )
        return str(value)

    def all_choices(self, choices: tuple[str, ...]) -> dict[str, str]:
        return {name: self.choice(name, choices) for name in self._value}

    def number(self, name: str, *, integer: bool = False, least: float = 0) -> float:
        value = self.value(name)
        types = int if integer else (int, float)
        # NaN is not at least anything.
        if isinstance(value, bool) or not isinstance(value, types) or not value >= least:
            kind = "an integer" if integer else "a number"
            raise _wrong(self.path(name), value, f"{kind} of at least {least:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        value = self.value(name)
        if not isinstance(value, bool):
            raise _wrong(self.path(name), value, "true or false")
        return value


def _wrong(where: str, found: Any, expected: str) -> ConfigError:
    shown = "nothing" if found is None else json.dumps(found)
    return ConfigError(f"{where}: found {shown[:80]}, expected {expected}")


def _security(fields: _Fields) -> Security:
    security = Security(
        fields.choice("protocol", PROTOCOLS), fields.choice("mechanism", MECHANISMS)
    )
    if security.protocol.startswith("SASL") != bool(security.mechanism):
        raise ConfigError(
            f"security.mechanism: found {security.mechanism!r} with protocol {security.protocol}, "
            "expected a mechanism with the SASL protocols and none with the others"
        )
    return security


def _function(fields: _Fields) -> Function:
    url = fields.text("url")
    if not re.fullmatch(r"http://[^/?#\s]+", url):
        raise _wrong(fields.path("url"), url, "http://HOST:PORT without a path")
    timeout = fields.number("timeout")
    return Function(fields.text("name"), url, fields.text("group"), timeout)


def _retry(fields: _Fields) -> Retry:
    statuses = fields.object("statuses").all_choices(OUTCOMES)
    for status in statuses:
        if not _STATUS.fullmatch(status):
            raise _wrong(fields.path("statuses"), status, "status codes such as 404 or 5xx as keys")
    initial, longest = fields.number("initialBackoff"), fields.number("maxBackoff")
    if longest < initial:
        raise _wrong(fields.path("maxBackoff"), longest, f"at least initialBackoff, {initial:g}")
    attempts = int(fields.number("attempts", integer=True, least=1))
    return Retry(attempts, initial, longest, statuses)


def _batch(fields: _Fields) -> Batch:
    return Batch(int(fields.number("size", integer=True, least=1)), fields.number("wait"))
