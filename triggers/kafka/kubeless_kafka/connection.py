"""librdkafka's settings for a cluster: what is common to consumers, producers and admin clients.

Credentials are folders of mounted Secrets: ``username`` and ``password``; ``ca.crt``, and ``tls.crt`` with ``tls.key``
for mutual TLS.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from kubeless_kafka.config import Security

AUTH_DIR = Path("/etc/kubeless/kafka-auth")
TLS_DIR = Path("/etc/kubeless/kafka-tls")

Settings = dict[str, str | int | float | bool]


class CredentialsError(Exception):
    """Credentials are missing or of no use; ``reason`` is AuthenticationFailed or TLSFailed."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def client_settings(
    bootstrap_servers: str,
    security: Security,
    *,
    auth_dir: Path = AUTH_DIR,
    tls_dir: Path = TLS_DIR,
    client_id: str = "kubeless",
) -> Settings:
    """Settings of any librdkafka client for these brokers.

    Without ``ca.crt`` the system's authorities are trusted. Raises CredentialsError when a file that is needed is missing
    or empty. The password is in the result: never log it.
    """
    settings: Settings = {
        "bootstrap.servers": bootstrap_servers,
        "client.id": client_id,
        "security.protocol": security.protocol,
        # Brokers come back under new addresses: names are asked again soon, and connecting does not give up for long.
        "broker.address.ttl": 5000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 5000,
        "socket.connection.setup.timeout.ms": 10000,
        "socket.keepalive.enable": True,
        # Idle brokers close connections; that is no news.
        "log.connection.close": False,
    }
    if security.mechanism:
        settings["sasl.mechanism"] = security.mechanism
        settings["sasl.username"] = _credential(auth_dir, "username")
        settings["sasl.password"] = _credential(auth_dir, "password")
    if security.protocol.endswith("SSL"):
        settings.update(_tls(tls_dir))
    return settings


def fingerprint(*folders: Path) -> str:
    """A digest of the files of these folders, to see that they changed; a missing folder is an empty one."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*")):
            if path.is_file():
                digest.update(f"{path.name}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _credential(folder: Path, key: str) -> str:
    try:
        # Secrets made from files or by `echo` often end in a newline; no credential does.
        value = (folder / key).read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(
            "AuthenticationFailed",
            f"the Secret of the credentials has no readable key {key}: it needs username and password",
        ) from error
    if not value:
        raise CredentialsError(
            "AuthenticationFailed", f"the key {key} of the credentials' Secret is empty"
        )
    return value


def _tls(folder: Path) -> Settings:
    settings: Settings = {"ssl.endpoint.identification.algorithm": "https"}
    ca, certificate, key = (folder / name for name in ("ca.crt", "tls.crt", "tls.key"))
    if ca.is_file():
        settings["ssl.ca.pem"] = _pem(ca, "CERTIFICATE")
    elif folder.is_dir() and any(folder.iterdir()) and not certificate.is_file():
        raise CredentialsError("TLSFailed", "the Secret of TLS has no key ca.crt")
    if certificate.is_file() != key.is_file():
        found, missing = ("tls.crt", "tls.key") if certificate.is_file() else ("tls.key", "tls.crt")
        raise CredentialsError(
            "TLSFailed", f"the Secret of TLS has {found} but no {missing}: mutual TLS needs both"
        )
    if certificate.is_file():
        settings["ssl.certificate.pem"] = _pem(certificate, "CERTIFICATE")
        settings["ssl.key.pem"] = _pem(key, "PRIVATE KEY")
    return settings


def _pem(path: Path, kind: str) -> str:
    """The text of a PEM file; an empty or binary one would be refused by librdkafka without a word on which it was."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not re.search(rf"-----BEGIN [A-Z ]*{kind}-----", text):
        raise CredentialsError(
            "TLSFailed", f"{path.name} of the Secret of TLS is not PEM: expected a {kind.lower()}"
        )
    return text
