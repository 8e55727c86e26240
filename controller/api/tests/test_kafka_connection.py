"""Which Kafka a trigger means: the installation's, another, or none."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.kafka_connection import (
    Connection,
    admin_connection,
    connection_of,
    parse_servers,
)
from kubeless_api.kafka_topic import dead_letters_of, is_topic

OPEN = {"bootstrapServers": "kafka.kubeless:9092"}
CLOSED = {**OPEN, "tls": True, "mechanism": "SCRAM-SHA-512", "tlsSecret": "ca"}
OTHER = {"bootstrapServers": "far:9093"}


def auth(name: str, **more: Any) -> dict[str, Any]:
    return {"auth": {"secretRef": {"name": name}, **more}}


@pytest.mark.parametrize(
    ("spec", "settings", "expected"),
    [
        ({}, OPEN, ("kafka.kubeless:9092", "PLAINTEXT", "", "", "")),
        # Zero values of the original mean nothing.
        (
            {"bootstrapServers": "", "auth": None, "tls": {"secretRef": {"name": ""}}},
            OPEN,
            ("kafka.kubeless:9092", "PLAINTEXT", "", "", ""),
        ),
        (auth("me"), CLOSED, ("kafka.kubeless:9092", "SASL_SSL", "SCRAM-SHA-512", "me", "ca")),
        (
            {},
            {**CLOSED, "authSecret": "all"},
            ("kafka.kubeless:9092", "SASL_SSL", "SCRAM-SHA-512", "all", "ca"),
        ),
        (
            auth("me", mechanism="PLAIN"),
            CLOSED,
            ("kafka.kubeless:9092", "SASL_SSL", "PLAIN", "me", "ca"),
        ),
        (
            auth("me"),
            {**OPEN, "mechanism": "PLAIN"},
            ("kafka.kubeless:9092", "SASL_PLAINTEXT", "PLAIN", "me", ""),
        ),
        # Servers of its own: nothing of the installation's, and not its credentials above all.
        (OTHER, {**CLOSED, "authSecret": "all"}, ("far:9093", "PLAINTEXT", "", "", "")),
        (
            {**OTHER, **auth("me"), "tls": {"enabled": True}},
            {},
            ("far:9093", "SASL_SSL", "SCRAM-SHA-512", "me", ""),
        ),
        ({**OTHER, "tls": {"secretRef": {"name": "ca"}}}, {}, ("far:9093", "SSL", "", "", "ca")),
        # The installation's servers, spelled out.
        (
            {"bootstrapServers": " kafka.kubeless:9092", **auth("me")},
            CLOSED,
            ("kafka.kubeless:9092", "SASL_SSL", "SCRAM-SHA-512", "me", "ca"),
        ),
        (
            {"tls": {"enabled": False}, **auth("me")},
            CLOSED,
            ("kafka.kubeless:9092", "SASL_PLAINTEXT", "SCRAM-SHA-512", "me", ""),
        ),
    ],
)
def test_what_is_meant(
    spec: dict[str, Any], settings: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert connection_of(spec, settings) == Connection(*expected)


@pytest.mark.parametrize(
    ("spec", "settings", "reason", "said"),
    [
        ({}, {}, "NoKafka", "kafka.bootstrapServers"),
        ({}, {"bootstrapServers": ""}, "NoKafka", "spec.bootstrapServers: found nothing"),
        ({}, CLOSED, "CredentialsMissing", "`kubeless kafka user create t --namespace n`"),
        (
            {**OTHER, "auth": {"mechanism": "PLAIN"}},
            CLOSED,
            "CredentialsMissing",
            "make a Secret with the keys username and password in this namespace",
        ),
        (
            auth("me", mechanism="GSSAPI"),
            OPEN,
            "InvalidSpec",
            "found 'GSSAPI', expected one of PLAIN",
        ),
        ({"bootstrapServers": "kafka"}, {}, "InvalidSpec", "found 'kafka', expected one or more"),
        ({"bootstrapServers": 7}, {}, "InvalidSpec", "spec.bootstrapServers: found 7"),
        ({"auth": "me"}, OPEN, "InvalidSpec", "spec.auth: found 'me', expected an object"),
        (
            {"tls": {"enabled": False, "secretRef": {"name": "ca"}}},
            OPEN,
            "InvalidSpec",
            "spec.tls.enabled: found false beside the Secret 'ca'",
        ),
    ],
)
def test_what_is_wrong_is_said(
    spec: dict[str, Any], settings: dict[str, Any], reason: str, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        connection_of(spec, settings, namespace="n", trigger="t")
    assert caught.value.reason == reason
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("given", "servers"),
    [
        ("kafka:9092", "kafka:9092"),
        ("a.b:1, c-d:65535", "a.b:1,c-d:65535"),
        ("[::1]:9092", "[::1]:9092"),
        ("10.0.0.1:9092", "10.0.0.1:9092"),
    ],
)
def test_servers(given: str, servers: str) -> None:
    assert parse_servers(given, "p") == servers


@pytest.mark.parametrize(
    "given", ["kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", "a:1,", "a b:1", "http://a:1"]
)
def test_what_is_no_server(given: str) -> None:
    with pytest.raises(SpecError, match=r"^p: found"):
        parse_servers(given, "p")


def test_the_administrator() -> None:
    assert admin_connection(OPEN).protocol == "PLAINTEXT"
    found = admin_connection(
        {**CLOSED, "authSecret": "no", "adminAuthSecret": "a", "adminTlsSecret": "b"}
    )
    assert found == Connection("kafka.kubeless:9092", "SASL_SSL", "SCRAM-SHA-512", "a", "b")
    with pytest.raises(SpecError) as caught:
        admin_connection({})
    assert caught.value.reason == "NoKafka"
    with pytest.raises(SpecError, match=r"kafka\.client\.adminAuthSecret"):
        admin_connection(CLOSED)


def test_topics() -> None:
    assert is_topic("orders.v1_A-b")
    assert is_topic("x" * 249)
    for name in ("", ".", "..", "a b", "a/b", "é", "x" * 250, "a\n"):
        assert not is_topic(name), name
    assert dead_letters_of("orders") == "orders.dlq"
    with pytest.raises(SpecError, match="longer than the 249 characters"):
        dead_letters_of("x" * 246)
