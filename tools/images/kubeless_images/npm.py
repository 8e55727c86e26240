"""Where the host's npm gets packages from: its registries, credentials and certificates.

npm itself says what its settings come to (environment, user, installation), but not its
credentials: those are read from the files and the environment as npm does.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: npm options that say where packages come from; everything else stays the build's own.
_OPTIONS = (
    "registry", "proxy", "https-proxy", "noproxy", "strict-ssl", "fetch-retries", "fetch-timeout",
    "replace-registry-host",
)  # fmt: skip
_CREDENTIAL = re.compile(r"//\S+:(_authToken|_auth|username|_password)")
_SCOPE = re.compile(r"@[^:\s]+:registry")


@dataclass(frozen=True)
class Npm:
    """npm's options by name, credentials among them, and the authorities (PEM) that it trusts."""

    options: Mapping[str, str] = field(default_factory=dict)
    authorities: str = ""

    def npmrc(self) -> str:
        """The options as a file that npm reads."""
        return "".join(f"{name}={json.dumps(value)}\n" for name, value in self.options.items())


def read(environ: Mapping[str, str]) -> Npm:
    """The settings of this host's npm; none when it has no npm."""
    try:
        # In the root folder, where no project has settings of its own.
        listed = subprocess.run(
            ["npm", "config", "list", "--json"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env=dict(environ),
        ).stdout
        settings: dict[str, Any] = json.loads(listed)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return Npm()
    credentials: dict[str, str] = {}
    for name in ("globalconfig", "userconfig"):
        credentials.update(parse_credentials(_text(settings.get(name)), environ))
    credentials.update(environment_credentials(environ))
    return Npm({**options(settings), **credentials}, authorities(settings, environ))


def options(settings: Mapping[str, Any]) -> dict[str, str]:
    """Options that decide where npm looks, from the object that ``npm config list --json`` prints."""
    found = {}
    for name, value in settings.items():
        if name not in _OPTIONS and not _SCOPE.fullmatch(name):
            continue
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        if value is None or not text:
            continue
        found[name] = text.lower() if isinstance(value, bool) else text
    return found


def parse_credentials(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Credentials in the text of an .npmrc, ``${VARIABLE}`` replaced as npm does it."""
    found = {}
    for line in text.splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if _CREDENTIAL.fullmatch(name):
            found[name] = re.sub(
                r"\$\{([^}]+)\}", lambda match: environ.get(match[1], match[0]), _unquoted(value)
            )
    return found


def environment_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Credentials in variables like ``npm_config_//registry.example/:_authToken``."""
    prefix = "npm_config_"
    return {
        name[len(prefix) :]: value
        for name, value in environ.items()
        if name.lower().startswith(prefix) and _CREDENTIAL.fullmatch(name[len(prefix) :])
    }


def authorities(settings: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Certificates that npm trusts beside or instead of the system's: ``ca``, ``cafile``, Node's own."""
    given = settings.get("ca")
    found = [str(one) for one in (given if isinstance(given, list) else [given]) if one]
    for path in (settings.get("cafile"), environ.get("NODE_EXTRA_CA_CERTS")):
        text = _text(path)
        if text and text not in found:
            found.append(text)
    return "".join(f"{text.rstrip()}\n" for text in found)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    return value


def _text(path: object) -> str:
    """The text of a file; empty when there is none: settings are optional."""
    try:
        return Path(str(path)).read_text() if path else ""
    except OSError:
        return ""
