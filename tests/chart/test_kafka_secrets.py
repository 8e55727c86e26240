"""What the hook makes: random credentials, a certificate, and nothing where there is something."""

from __future__ import annotations

import base64
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.helm import KAFKA

Object = dict[str, Any]


def load() -> ModuleType:
    """The hook's program, which is no package's."""
    spec = importlib.util.spec_from_file_location("make_secrets", KAFKA / "files/make_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load()
NAMES = ["localhost", "kafka.kubeless", "*.kafka-brokers.kubeless.svc"]
CERTIFICATE = {
    "secret": "kafka-tls",
    "make": True,
    "authority": "kafka-ca",
    "names": NAMES,
    "days": 9,
}


class Cluster:
    """The Secrets of a namespace; `answers` come before what it would say, by method and path."""

    def __init__(self, **secrets: Object) -> None:
        self.secrets = dict(secrets)
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.written: list[str] = []

    def request(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if (method, path) in self.answers:
            return self.answers.pop((method, path))
        name = path.lstrip("/") or body["metadata"]["name"]
        if method == "GET":
            found = self.secrets.get(name)
            return (404, {}) if found is None else (200, {"data": found})
        if method == "POST" and name in self.secrets:
            return 409, {}
        self.written.append(name)
        self.secrets[name] = {**self.secrets.get(name, {}), **body["data"]}
        return (201 if method == "POST" else 200), body


def run(cluster: Cluster, certificate: Object | None = None, **credentials: str) -> None:
    plan = {"namespace": "kubeless", "labels": {"a": "b"}, "credentials": credentials}
    hook.main({**plan, "certificate": certificate}, cluster.request)


def text(data: Object, key: str) -> str:
    return base64.b64decode(data[key]).decode()


def encoded(**data: str) -> Object:
    return {key.replace("_", "."): base64.b64encode(v.encode()).decode() for key, v in data.items()}


def test_missing_credentials_are_made_at_random_and_found_the_next_time() -> None:
    first, second = Cluster(), Cluster()
    for cluster in (first, second):
        run(cluster, **{"kafka-admin": "admin", "kafka-internal": "node"})
    data = first.secrets["kafka-admin"]
    assert text(data, "username") == "admin"
    passwords = {
        text(cluster.secrets[name], "password")
        for cluster in (first, second)
        for name in ("kafka-admin", "kafka-internal")
    }
    assert len(passwords) == 4
    assert all(len(password) == 48 and password.isalnum() for password in passwords)
    before = dict(first.secrets)
    first.written.clear()
    run(first, **{"kafka-admin": "admin", "kafka-internal": "node"})
    assert first.secrets == before
    assert first.written == []


def test_what_somebody_else_makes_meanwhile_is_taken() -> None:
    cluster = Cluster(**{"kafka-admin": encoded(username="me", password="mine")})
    cluster.answers["GET", "/kafka-admin"] = (404, {})
    run(cluster, **{"kafka-admin": "admin"})
    assert text(cluster.secrets["kafka-admin"], "password") == "mine"


def test_a_secret_that_lacks_a_key_is_refused_and_left_as_it_is() -> None:
    cluster = Cluster(**{"kafka-admin": encoded(username="me", passwort="mine")})
    with pytest.raises(hook.Problem, match="has passwort, username, but no password: add it"):
        run(cluster, **{"kafka-admin": "admin"})
    assert cluster.written == []


def test_refusals_of_the_api_server_are_said() -> None:
    cluster = Cluster()
    cluster.answers["GET", "/kafka-admin"] = (403, {"message": "secrets is forbidden"})
    with pytest.raises(
        hook.Problem, match="kafka-admin: the API server answered 403: secrets is f"
    ):
        run(cluster, **{"kafka-admin": "admin"})


def verify(folder: Path, secret: Object, *options: str) -> subprocess.CompletedProcess[str]:
    for key in ("ca.crt", "tls.crt"):
        (folder / key).write_text(text(secret, key))
    return subprocess.run(
        ["openssl", "verify", "-CAfile", folder / "ca.crt", *options, folder / "tls.crt"],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_the_certificate_is_good_for_its_names_as_server_and_client(
    tmp_path: Path, purpose: str
) -> None:
    cluster = Cluster()
    run(cluster, CERTIFICATE)
    secret = cluster.secrets["kafka-tls"]
    name = ["-verify_hostname", "kafka-2.kafka-brokers.kubeless.svc"]
    found = verify(tmp_path, secret, "-purpose", purpose, *name)
    assert found.returncode == 0, found.stderr
    assert verify(tmp_path, secret, "-verify_hostname", "kafka.other").returncode != 0
    # The form of key that Kafka reads.
    assert text(secret, "tls.key").startswith("-----BEGIN PRIVATE KEY-----")
    assert cluster.secrets["kafka-ca"] == {"ca.crt": secret["ca.crt"]}


def test_the_copy_of_the_authority_follows_a_certificate_of_ones_own() -> None:
    own = encoded(tls_crt="c", tls_key="k", ca_crt="new")
    cluster = Cluster(mine=own, **{"kafka-ca": encoded(ca_crt="old")})
    run(cluster, {**CERTIFICATE, "secret": "mine", "make": False})
    assert text(cluster.secrets["kafka-ca"], "ca.crt") == "new"
    assert cluster.written == ["kafka-ca"]
    assert cluster.secrets["mine"] == own


def test_a_certificate_of_ones_own_must_be_there() -> None:
    with pytest.raises(
        hook.Problem, match=r"no Secret mine: make one with tls.crt, tls.key, ca.crt"
    ):
        run(Cluster(), {**CERTIFICATE, "secret": "mine", "make": False})


def test_names_that_no_certificate_can_have_are_said() -> None:
    with pytest.raises(hook.Problem, match="openssl x509 failed"):
        run(Cluster(), {**CERTIFICATE, "names": ["a,XX:b"]})
