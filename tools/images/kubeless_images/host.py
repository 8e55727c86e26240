"""What the host's network needs, as files for build steps.

Read when a build runs and handed over as build secrets: a RUN step that mounts
them sees them under /run/secrets, no layer, history or environment keeps them.

    ca        the host's CA bundle, and what its npm trusts beside it
    apt       apt configuration: proxies
    maven     Maven's settings: mirrors and their credentials, proxies
    npm       npm configuration: registries and their credentials
    settings  a shell fragment to source: proxies, pip's index, where the CA and npm's configuration are
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kubeless_images import maven, npm

#: Where a build step finds the secrets.
SECRETS = "/run/secrets"

#: apt setting for a mirror whose lists are past their Valid-Until.
ACCEPT_STALE = 'Acquire::Check-Valid-Until "false"'

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")

#: pip options that say where packages come from; everything else stays the build's own.
_PIP_OPTIONS = (
    "index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "default-timeout",
    "timeout", "retries", "no-index",
)  # fmt: skip


@dataclass(frozen=True)
class Host:
    """Settings of the machine that builds."""

    ca: Path | None = None
    pip: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    apt_proxies: Mapping[str, str] = field(default_factory=dict)
    npm: npm.Npm = field(default_factory=npm.Npm)
    maven: str = ""

    def authorities(self) -> str:
        """The CA bundle with what npm trusts beside it, PEM; empty when there is neither."""
        bundle = self.ca.read_text() if self.ca else ""
        more = self.npm.authorities
        return bundle if more.strip() == bundle.strip() else "\n".join(filter(None, (bundle, more)))


def read(environ: Mapping[str, str]) -> Host:
    """The settings of this host, from its environment, pip, npm, Maven and apt."""
    proxies = {
        name: value
        for name in _PROXY_VARIABLES
        if (value := environ.get(name) or environ.get(name.upper()))
    }
    return Host(
        ca=ca_bundle(environ),
        pip=parse_pip_config(_output([sys.executable, "-m", "pip", "config", "list"])),
        proxies=proxies,
        apt_proxies=parse_apt_proxies(_output(["apt-config", "dump"])),
        npm=npm.read(environ),
        maven=maven.read(environ, proxies),
    )


def ca_bundle(environ: Mapping[str, str]) -> Path | None:
    """The CA bundle the host's own tools use, None when there is none."""
    named = [environ[name] for name in _BUNDLE_VARIABLES if environ.get(name)]
    for candidate in (*named, *_BUNDLES):
        if os.path.isfile(candidate):
            return Path(candidate)
    return None


def parse_pip_config(text: str) -> dict[str, str]:
    """Options that decide where pip looks, from the output of ``pip config list``.

    Lines are ``global.index-url='...'``; an environment line (``:env:.``) wins, as in pip.
    Folders of this host are dropped: a build step does not have them.
    """
    found: dict[str, str] = {}
    for line in sorted(text.splitlines(), key=lambda line: line.startswith(":env:")):
        key, separator, quoted = line.partition("=")
        section, _, option = key.rpartition(".")
        if not separator or section not in (":env:", "global", "install"):
            continue
        try:
            value = str(ast.literal_eval(quoted))
        except (SyntaxError, ValueError):
            continue
        if option == "find-links":
            value = " ".join(link for link in value.split() if "://" in link)
        if option in _PIP_OPTIONS and value:
            found[option] = value
    return found


def parse_apt_proxies(text: str) -> dict[str, str]:
    """``Acquire::<scheme>::Proxy`` settings from the output of ``apt-config dump``."""
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        parts = key.split("::")
        if len(parts) == 3 and parts[0] == "Acquire" and parts[2].lower() == "proxy":
            found[parts[1]] = value.strip().rstrip(";").strip('"')
    return found


def apt_config(host: Host, *, accept_stale: bool = False) -> str:
    """apt configuration for a build step."""
    lines = [f'Acquire::{name}::Proxy "{url}";' for name, url in host.apt_proxies.items()]
    if host.ca:
        lines.append(f'Acquire::https::CaInfo "{SECRETS}/ca";')
    if accept_stale:
        lines.append(f"{ACCEPT_STALE};")
    return "".join(f"{line}\n" for line in lines)


def shell_settings(host: Host) -> str:
    """A shell fragment that exports the settings of a build step."""
    variables = {**host.proxies, **{name.upper(): url for name, url in host.proxies.items()}}
    for option, value in host.pip.items():
        variables["PIP_" + option.upper().replace("-", "_")] = value
    if host.ca:
        for name in ("PIP_CERT", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            variables[name] = f"{SECRETS}/ca"
    if host.ca or host.npm.authorities:
        variables["NODE_EXTRA_CA_CERTS"] = f"{SECRETS}/ca"
    if host.npm.options:
        variables["NPM_CONFIG_USERCONFIG"] = f"{SECRETS}/npm"
    variables["APT_CONFIG"] = f"{SECRETS}/apt"
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def write_secrets(host: Host, folder: Path, *, accept_stale: bool = False) -> dict[str, Path]:
    """Write the secrets into ``folder`` (readable by the owner alone): id -> file."""
    folder.mkdir(exist_ok=True)
    contents = {
        "ca": host.authorities(),
        "apt": apt_config(host, accept_stale=accept_stale),
        "maven": host.maven,
        "npm": host.npm.npmrc(),
        "settings": shell_settings(host),
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / name
        paths[name].touch(mode=0o600)
        paths[name].write_text(content)
    return paths


def _output(command: list[str]) -> str:
    """What a command prints; empty when it is missing or fails: its settings are optional."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
