"""librdkafka's settings from what the Secrets hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer

from kubeless_kafka.config import Security
from kubeless_kafka.connection import CredentialsError, client_settings, fingerprint

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"


def settings(
    tmp_path: Path, protocol: str, mechanism: str = ""
) -> dict[str, str | int | float | bool]:
    return client_settings(
        "kafka:9092",
        Security(protocol, mechanism),
        auth_dir=tmp_path / "auth",
        tls_dir=tmp_path / "tls",
    )


def write(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def test_plain_needs_no_files_and_librdkafka_takes_it(tmp_path: Path) -> None:
    found = settings(tmp_path, "PLAINTEXT")
    assert not [name for name in found if name.startswith(("ssl", "sasl"))]
    Consumer({**found, "group.id": "g"}).close()


def test_a_newline_at_the_end_is_no_part_of_a_password(tmp_path: Path) -> None:
    write(tmp_path / "auth", username="me\n", password="secret\n")
    found = settings(tmp_path, "SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (found["sasl.username"], found["sasl.password"]) == ("me", "secret")
    Consumer({**found, "group.id": "g"}).close()


def test_credentials_that_are_missing_or_empty_are_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="no readable key username") as caught:
        settings(tmp_path, "SASL_SSL", "PLAIN")
    assert caught.value.reason == "AuthenticationFailed"
    write(tmp_path / "auth", username="me", password="")
    with pytest.raises(CredentialsError, match=r"the key password .* is empty"):
        settings(tmp_path, "SASL_SSL", "PLAIN")


def test_tls_without_a_secret_trusts_the_system(tmp_path: Path) -> None:
    found = settings(tmp_path, "SSL")
    assert "ssl.ca.pem" not in found
    assert found["ssl.endpoint.identification.algorithm"] == "https"


def test_mutual_tls_needs_both_files(tmp_path: Path) -> None:
    write(tmp_path / "tls", ca_crt=PEM, tls_crt=PEM)
    with pytest.raises(CredentialsError, match=r"has tls\.crt but no tls\.key"):
        settings(tmp_path, "SSL")
    write(tmp_path / "tls", tls_key=KEY)
    found = settings(tmp_path, "SSL")
    assert (found["ssl.ca.pem"], found["ssl.key.pem"]) == (PEM, KEY)


def test_a_file_that_is_not_pem_is_named(tmp_path: Path) -> None:
    write(tmp_path / "tls", ca_crt="hello")
    with pytest.raises(CredentialsError, match=r"ca\.crt .* is not PEM") as caught:
        settings(tmp_path, "SSL")
    assert caught.value.reason == "TLSFailed"


def test_a_secret_without_ca_is_said(tmp_path: Path) -> None:
    write(tmp_path / "tls", other="x")
    with pytest.raises(CredentialsError, match=r"no key ca\.crt"):
        settings(tmp_path, "SSL")


def test_a_changed_secret_has_another_fingerprint(tmp_path: Path) -> None:
    before = fingerprint(tmp_path / "auth")
    write(tmp_path / "auth", username="me", password="a")
    first = fingerprint(tmp_path / "auth")
    write(tmp_path / "auth", password="b")
    assert len({before, first, fingerprint(tmp_path / "auth")}) == 3
