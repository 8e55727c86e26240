"""Where the host's Maven gets artifacts from: the user's settings.xml, or one made of the proxies.

Maven does not read the proxies of the environment: a host that has no settings for it needs them there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from kubeless_images.errors import ImagesError


def read(environ: Mapping[str, str], proxies: Mapping[str, str]) -> str:
    """The text of a settings.xml for build steps; empty when Maven needs none."""
    home = environ.get("HOME") or str(Path.home())
    try:
        text = Path(home, ".m2/settings.xml").read_text()
    except OSError:
        return of_proxies(proxies)
    return filled(text, environ)


def filled(text: str, environ: Mapping[str, str]) -> str:
    """The settings with ``${env.NAME}`` replaced as Maven does it; a build step has no such variables."""
    return re.sub(
        r"\$\{env\.([^}]+)\}",
        lambda match: escape(environ[match[1]]) if match[1] in environ else match[0],
        text,
    )


def of_proxies(proxies: Mapping[str, str]) -> str:
    """Settings with the proxies of the environment (``https_proxy``, ``http_proxy``, ``no_proxy``).

    Raises ImagesError when one of them is not an address with a host.
    """
    # Maven takes the first active one for what it asks, and it asks by https.
    address = proxies.get("https_proxy") or proxies.get("http_proxy") or ""
    if not address:
        return ""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ImagesError(
            "https_proxy: found no host in it, expected an address like http://proxy.example.com:3128"
        )
    fields = {
        "id": "environment",
        "protocol": "https" if parts.scheme == "https" else "http",
        "host": host,
        "port": str(port or (443 if parts.scheme == "https" else 80)),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "nonProxyHosts": "|".join(_pattern(name) for name in _names(proxies.get("no_proxy", ""))),
    }
    inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items() if value)
    return f"<settings><proxies><proxy>{inner}</proxy></proxies></settings>\n"


def _names(no_proxy: str) -> list[str]:
    return [name.strip() for name in no_proxy.split(",") if name.strip()]


def _pattern(name: str) -> str:
    """``.example.com`` of no_proxy covers what is below it, as ``*.example.com`` does for Maven."""
    return f"*{name}" if name.startswith(".") else name
