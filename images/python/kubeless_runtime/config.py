"""The server's configuration: read once from the environment, checked, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

MEBIBYTE = 1024 * 1024

#: Concurrent calls one worker process can hold; more are refused with 503.
SLOTS = 1000


class ConfigError(Exception):
    """A variable that can't be used; the message names it, what was found and what is expected."""


@dataclass(frozen=True)
class Config:
    """What the server was told. Times in seconds, sizes in bytes, 0 concurrency for no limit."""

    module: str
    function: str
    timeout: float
    timeout_text: str
    runtime: str
    memory_limit: str
    port: int
    volume: str
    body_limit: int
    concurrency: int
    workers: int
    drain_delay: float
    access_log: bool
    cors: bool
    termination_log: str

    @property
    def source(self) -> str:
        """Path of the function's source file."""
        return f"{self.volume}/{self.module}.py"


def from_environ(environ: Mapping[str, str]) -> Config:
    """The configuration. Raises ConfigError on the first variable that is wrong."""
    concurrency = _integer(environ, "FUNC_CONCURRENCY", 0, 0, 1_000_000)
    workers = _integer(environ, "KUBELESS_WORKERS", 0, 0, 64) or _cpus()
    if concurrency:
        workers = min(workers, concurrency)
    return Config(
        module=_name(environ, "MOD_NAME"),
        function=_name(environ, "FUNC_HANDLER"),
        timeout=_seconds(environ, "FUNC_TIMEOUT", 180.0, minimum=0.01),
        timeout_text=environ.get("FUNC_TIMEOUT") or "180",
        runtime=environ.get("FUNC_RUNTIME", ""),
        memory_limit=environ.get("FUNC_MEMORY_LIMIT") or "0",
        port=_integer(environ, "FUNC_PORT", 8080, 1, 65535),
        volume=environ.get("KUBELESS_INSTALL_VOLUME", "/kubeless").rstrip("/") or "/",
        body_limit=_body_limit(environ),
        concurrency=concurrency,
        workers=workers,
        drain_delay=_seconds(environ, "KUBELESS_DRAIN_DELAY", 2.0, minimum=0.0),
        access_log=_boolean(environ, "KUBELESS_ACCESS_LOG", True),
        cors=_boolean(environ, "FUNC_CORS", False),
        termination_log=environ.get("KUBELESS_TERMINATION_LOG", "/dev/termination-log"),
    )


def _name(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigError(f"{name} is not set: it names the function's {_MEANING[name]}")
    if "/" in value or "\0" in value:
        raise ConfigError(f"{name} is {value!r}: expected the {_MEANING[name]}'s name, not a path")
    return value


_MEANING = {"MOD_NAME": "module", "FUNC_HANDLER": "handler"}


def _seconds(environ: Mapping[str, str], name: str, default: float, *, minimum: float) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not minimum <= value < float("inf"):
        raise ConfigError(f"{name} is {text!r}: expected a number of seconds, such as 180 or 0.5")
    return value


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name} is {text!r}: expected a whole number from {low} to {high}")
    return int(text)


def _boolean(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = environ.get(name, "").lower()
    if text in ("", "true", "1", "yes", "on"):
        return default if not text else True
    if text in ("false", "0", "no", "off"):
        return False
    raise ConfigError(f"{name} is {environ[name]!r}: expected true or false")


def _body_limit(environ: Mapping[str, str]) -> int:
    """FUNC_MEMFILE_MAX in bytes, or REQ_MB_LIMIT in MiB; 100 MiB."""
    megabytes = _integer(environ, "REQ_MB_LIMIT", 100, 0, 1_000_000)
    return _integer(environ, "FUNC_MEMFILE_MAX", megabytes * MEBIBYTE, 0, 1 << 50)


def _cpus() -> int:
    """Whole CPUs of the container's limit; 1 without a limit, below one CPU, or if unreadable."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:  # cgroup v2
            quota, period = file.read().split()
    except (OSError, ValueError):
        try:
            with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as file:  # cgroup v1
                quota = file.read().strip()
            with open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as file:
                period = file.read().strip()
        except OSError:
            return 1
    if quota in ("max", "-1"):
        return 1
    return max(1, min(int(quota) // int(period), len(os.sched_getaffinity(0))))
