"""Which Kafka a trigger means, and how it is reached.

A trigger that names no servers, or those of the installation, means the
installation's Kafka and has its settings wherever it says nothing itself. One
that names others has nothing of them: credentials never go to servers that
they were not made for.

``settings`` is the mapping ``kafka`` of the controller's configuration; {}
where the installation has no Kafka.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeless_api import fields
from kubeless_api.conditions import CREDENTIALS_MISSING, INVALID_SPEC, NO_KAFKA
from kubeless_api.errors import SpecError

PLAINTEXT = "PLAINTEXT"
SSL = "SSL"
SASL_PLAINTEXT = "SASL_PLAINTEXT"
SASL_SSL = "SASL_SSL"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
DEFAULT_MECHANISM = "SCRAM-SHA-512"
# Keys of the Secrets; those of `tls` are as in a Secret of cert-manager.
USERNAME_KEY = "username"
PASSWORD_KEY = "password"  # noqa: S105 - the key's name
CA_KEY = "ca.crt"
CERTIFICATE_KEY = "tls.crt"
PRIVATE_KEY_KEY = "tls.key"

_SERVER = re.compile(
    r"(?P<host>[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})"
)


@dataclass(frozen=True)
class Connection:
    """How a Kafka is reached.

    ``bootstrap_servers`` is 'host:port,...'; ``protocol`` is one of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL;
    ``mechanism`` is '' without SASL. ``auth_secret`` and ``tls_secret`` are names of Secrets, '' for none.
    """

    bootstrap_servers: str
    protocol: str
    mechanism: str
    auth_secret: str
    tls_secret: str


def connection_of(
    spec: Mapping[str, Any], settings: Mapping[str, Any], *, namespace: str = "", trigger: str = ""
) -> Connection:
    """The Kafka that a trigger's spec means; its Secrets are of the trigger's namespace. Raises SpecError.

    ``namespace`` and ``trigger`` are for the advice only.
    """
    given = fields.text(spec, "bootstrapServers", "spec")
    default = str(settings.get("bootstrapServers") or "")
    servers = parse_servers(given or default, "spec.bootstrapServers") if given or default else ""
    if not servers:
        raise SpecError(
            NO_KAFKA,
            "spec.bootstrapServers: found nothing, and this installation has no Kafka of its own; name the servers "
            "there, like 'kafka.example.com:9092', or have the chart install Kafka (kafka.enabled) or name one "
            "(kafka.bootstrapServers)",
        )
    shared = not given or servers == default.replace(" ", "")
    auth, tls = fields.mapping(spec, "auth", "spec"), fields.mapping(spec, "tls", "spec")
    auth_secret = _secret(auth, "spec.auth")
    mechanism = _mechanism(auth, auth_secret)
    tls_secret = _secret(tls, "spec.tls")
    encrypted = fields.flag(tls, "enabled", "spec.tls") or bool(tls_secret)
    if tls_secret and tls.get("enabled") is False:
        raise SpecError(
            INVALID_SPEC,
            f"spec.tls.enabled: found false beside the Secret {tls_secret!r} in spec.tls.secretRef; take one of them out",
        )
    if shared:
        mechanism = (auth.get("mechanism") and mechanism) or str(
            settings.get("mechanism") or mechanism
        )
        auth_secret = auth_secret or (str(settings.get("authSecret") or "") if mechanism else "")
        if tls.get("enabled") is None:
            encrypted = encrypted or bool(settings.get("tls"))
        tls_secret = tls_secret or (str(settings.get("tlsSecret") or "") if encrypted else "")
    if mechanism and not auth_secret:
        raise SpecError(CREDENTIALS_MISSING, _credentials(mechanism, shared, namespace, trigger))
    return Connection(servers, _protocol(encrypted, mechanism), mechanism, auth_secret, tls_secret)


def admin_connection(settings: Mapping[str, Any]) -> Connection:
    """The installation's Kafka as its administrator reaches it; the Secrets are of the installation's namespace.

    Raises SpecError where the installation has no Kafka, or no credentials for it.
    """
    servers = str(settings.get("bootstrapServers") or "")
    if not servers:
        raise SpecError(
            NO_KAFKA,
            "this installation has no Kafka; have the chart install one (kafka.enabled) or name one "
            "(kafka.bootstrapServers)",
        )
    mechanism = str(settings.get("mechanism") or "")
    secret = str(settings.get("adminAuthSecret") or "")
    if mechanism and not secret:
        raise SpecError(
            CREDENTIALS_MISSING,
            f"the installation's Kafka asks for credentials ({mechanism}), and no Secret has an administrator's; make "
            f"one with the keys {USERNAME_KEY} and {PASSWORD_KEY} and name it in the chart's value "
            "kafka.client.adminAuthSecret",
        )
    encrypted = bool(settings.get("tls"))
    return Connection(
        servers,
        _protocol(encrypted, mechanism),
        mechanism,
        secret if mechanism else "",
        str(settings.get("adminTlsSecret") or "") if encrypted else "",
    )


def parse_servers(value: str, path: str) -> str:
    """'host:port,host:port' without white space. Raises SpecError with ``path``."""
    servers = [server.strip() for server in value.split(",")]
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise fields.wrong(
                path, value, "one or more 'host:port' with ',' between them, like 'kafka:9092'"
            )
    return ",".join(servers)


def _protocol(encrypted: bool, mechanism: str) -> str:
    if mechanism:
        return SASL_SSL if encrypted else SASL_PLAINTEXT
    return SSL if encrypted else PLAINTEXT


def _mechanism(auth: Mapping[str, Any], secret: str) -> str:
    given = fields.text(auth, "mechanism", "spec.auth")
    if given and given not in MECHANISMS:
        raise fields.wrong("spec.auth.mechanism", given, f"one of {', '.join(MECHANISMS)}")
    return given or (DEFAULT_MECHANISM if secret else "")


def _secret(parent: Mapping[str, Any], path: str) -> str:
    return fields.text(fields.mapping(parent, "secretRef", path), "name", f"{path}.secretRef")


def _credentials(mechanism: str, shared: bool, namespace: str, trigger: str) -> str:
    found = (
        f"spec.auth.secretRef: found nothing, and this Kafka asks for credentials ({mechanism});"
    )
    keys = f"with the keys {USERNAME_KEY} and {PASSWORD_KEY}"
    if not shared:
        return f"{found} make a Secret {keys} in this namespace and name it there"
    name = trigger or "<name>"
    return (
        f"{found} `kubeless kafka user create {name} --namespace {namespace or '<namespace>'}` makes a user and a Secret "
        f"{keys}: name that Secret there"
    )
