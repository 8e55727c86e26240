"""What the installation decides: read once at the start, checked at once, then frozen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubeless_api.runtimes import Runtime, RuntimeTable


class SettingsError(Exception):
    """The configuration file cannot be used; the message says why."""


@dataclass(frozen=True)
class Settings:
    """The configuration file, as the chart renders it.

    ``drain_seconds`` is how long a function's server goes on accepting after SIGTERM.
    """

    runtimes: RuntimeTable
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    drain_seconds: int = 2
    workers: int = 8
    port: int = 8080
    log_format: str = "text"


def load(path: Path) -> Settings:
    """Read the configuration file (JSON). Raises SettingsError."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"the configuration {path} is not JSON: {error}") from error
    try:
        return _settings(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"the configuration {path} is wrong: {type(error).__name__}: {error}"
        ) from error


def _settings(data: Mapping[str, Any]) -> Settings:
    log_format = data.get("logFormat", "text")
    if log_format not in ("text", "json"):
        raise ValueError(f"logFormat: found {log_format!r}, expected 'text' or 'json'")
    workers = int(data.get("workers", 8))
    if workers < 1:
        raise ValueError(f"workers: found {workers}, expected 1 or more")
    return Settings(
        runtimes=RuntimeTable(_runtime(row) for row in data["runtimes"]),
        image_pull_policy=data.get("imagePullPolicy", "IfNotPresent"),
        image_pull_secrets=tuple(data.get("imagePullSecrets", [])),
        drain_seconds=int(data.get("drainSeconds", 2)),
        workers=workers,
        port=int(data.get("port", 8080)),
        log_format=log_format,
    )


def _runtime(row: Mapping[str, Any]) -> Runtime:
    return Runtime(
        id=row["id"],
        image=row["image"],
        suffix=row["suffix"],
        dependency_file=row.get("dependencyFile", ""),
        aliases=tuple(row.get("aliases", [])),
    )
