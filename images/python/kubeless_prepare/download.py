"""Downloading a source over HTTP or HTTPS.

* Only http and https; never an address that belongs to the node or the link
  (loopback, link-local: metadata services), also after a redirect or a changed DNS answer.
* At most ``MAX_REDIRECTS`` redirects, ``limit`` bytes and ``seconds`` in all.
* Nothing is kept of a download that did not end well.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import ssl
import time
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from kubeless_prepare.errors import SOURCE_TOO_LARGE, SOURCE_UNAVAILABLE, PrepareError

MAX_REDIRECTS = 5
CHUNK = 64 * 1024
CONNECT_SECONDS = 10.0


def download(url: str, limit: int, seconds: float, allow_local: bool) -> bytes:
    """The content behind ``url``. Raises PrepareError.

    ``allow_local`` lets loopback and link-local addresses through.
    """
    deadline = time.monotonic() + seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = _checked(url)
        try:
            content, location = _get(parts, limit, deadline, allow_local)
        except (OSError, http.client.HTTPException) as error:
            raise PrepareError(
                SOURCE_UNAVAILABLE, f"{shown(url)}: {error or type(error).__name__}"
            ) from error
        if location is None:
            return content
        url = urljoin(url, location)
    raise PrepareError(SOURCE_UNAVAILABLE, f"{shown(url)}: more than {MAX_REDIRECTS} redirects")


def shown(url: str) -> str:
    """The address without what may be secret in it: user, password and query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "the address"
    return f"{parts.scheme}://{host}{parts.path}"[:300]


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise PrepareError(SOURCE_UNAVAILABLE, f"spec.function: not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise PrepareError(
            SOURCE_UNAVAILABLE,
            f"spec.function: found {shown(url)!r}, expected the http or https address of the source",
        )
    return parts


def _get(
    parts: SplitResult, limit: int, deadline: float, allow_local: bool
) -> tuple[bytes, str | None]:
    proxy = _proxy(parts)
    connection = _connect(parts, proxy, deadline, allow_local)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "kubeless-prepare", "Accept": "*/*"}
        if parts.username:
            headers["Authorization"] = _basic(parts)
        if proxy is not None and parts.scheme == "http":
            # Proxies forward plain requests by their whole address, and tunnel to few ports.
            host = parts.netloc.rpartition("@")[2]
            path = f"http://{host}{path}"
            headers["Host"] = host
            if proxy.username:
                headers["Proxy-Authorization"] = _basic(proxy)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        location = response.getheader("Location")
        if response.status in (301, 302, 303, 307, 308) and location:
            return b"", location
        if response.status != 200:
            raise PrepareError(
                SOURCE_UNAVAILABLE,
                f"{shown(parts.geturl())}: answered {response.status} {response.reason}",
            )
        return _read(response, parts, limit, deadline), None
    finally:
        connection.close()


def _read(
    response: http.client.HTTPResponse, parts: SplitResult, limit: int, deadline: float
) -> bytes:
    content = bytearray()
    while chunk := response.read(CHUNK):
        content += chunk
        if len(content) > limit:
            raise PrepareError(
                SOURCE_TOO_LARGE, f"{shown(parts.geturl())}: more than {limit} bytes"
            )
        if time.monotonic() > deadline:
            raise PrepareError(SOURCE_UNAVAILABLE, f"{shown(parts.geturl())}: took too long")
    if response.length:
        raise PrepareError(
            SOURCE_UNAVAILABLE, f"{shown(parts.geturl())}: ended {response.length} bytes early"
        )
    return bytes(content)


def _basic(parts: SplitResult) -> str:
    """The header that sends the user and the password of an address."""
    import base64

    secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    return "Basic " + base64.b64encode(secret).decode()


def _connect(
    parts: SplitResult, proxy: SplitResult | None, deadline: float, allow_local: bool
) -> http.client.HTTPConnection:
    """A connection to an address that was looked at: looking it up again could give another one.

    To the proxy where there is one, which looks up and decides for itself where it lets one go.
    """
    assert parts.hostname is not None
    default = 443 if parts.scheme == "https" else 80
    port = parts.port or default
    timeout = max(0.1, min(CONNECT_SECONDS, deadline - time.monotonic()))
    if proxy is not None:
        return _through(proxy, parts, port, timeout)
    address = _address(parts.hostname, port, allow_local)
    sock = socket.create_connection(address, timeout)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout)
    if parts.scheme == "https":
        connection.sock = _context().wrap_socket(sock, server_hostname=parts.hostname)
    else:
        connection.sock = sock
    return connection


def _address(host: str, port: int, allow_local: bool) -> tuple[str, int]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        local = ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast
        if local and not allow_local:
            raise PrepareError(
                SOURCE_UNAVAILABLE,
                f"spec.function: {host} is {ip}, an address of the node or the link; sources are "
                "not taken from there",
            )
    return str(found[0][4][0]), port


def _proxy(parts: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for this address."""
    from urllib.request import getproxies, proxy_bypass

    assert parts.hostname is not None
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname):
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _through(
    proxy: SplitResult, parts: SplitResult, port: int, timeout: float
) -> http.client.HTTPConnection:
    """A connection to the proxy: a tunnel for https, as it is for http."""
    assert parts.hostname is not None
    host, at = proxy.hostname or "", proxy.port or 80
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, at, timeout=timeout)
    connection = http.client.HTTPSConnection(host, at, timeout=timeout, context=_context())
    headers = {"Proxy-Authorization": _basic(proxy)} if proxy.username else {}
    connection.set_tunnel(parts.hostname, port, headers)
    return connection


def _context() -> ssl.SSLContext:
    # SSL_CERT_FILE, which the installation's own authorities arrive by, is honoured by OpenSSL itself.
    context = ssl.create_default_context()
    extra = os.environ.get("KUBELESS_CA_BUNDLE")
    if extra:
        context.load_verify_locations(extra)
    return context
