"""Paths, and errors from answers."""

from __future__ import annotations

import pytest

from kubeless_kube.client import Client
from kubeless_kube.errors import ConfigError, Conflict, NotFound, error_from_response
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES


def test_paths() -> None:
    assert CONFIGMAPS.path("a", "b") == "/api/v1/namespaces/a/configmaps/b"
    assert DEPLOYMENTS.path("a", "b", "scale") == "/apis/apps/v1/namespaces/a/deployments/b/scale"
    assert DEPLOYMENTS.path() == "/apis/apps/v1/deployments"
    assert NAMESPACES.path(None, "a") == "/api/v1/namespaces/a"
    with pytest.raises(ValueError, match="needs a namespace"):
        DEPLOYMENTS.path(None, "b")


def test_errors_are_what_the_status_object_says() -> None:
    body = b'{"reason": "AlreadyExists", "message": "it is there", "details": {"name": "a"}}'
    error = error_from_response(409, "Conflict", body)
    assert isinstance(error, Conflict)
    assert (error.reason, error.message, error.details) == (
        "AlreadyExists",
        "it is there",
        {"name": "a"},
    )


@pytest.mark.parametrize("body", [b"", b"404 page not found\n", b"[]", b"\xff"])
def test_errors_without_a_status_object(body: bytes) -> None:
    assert isinstance(error_from_response(404, "Not Found", body), NotFound)


def test_a_kubeconfig_that_is_missing_or_wrong_is_named(tmp_path: pytest.TempPathFactory) -> None:
    path = f"{tmp_path}/config"
    with pytest.raises(ConfigError, match=f"no kubeconfig at {path}"):
        Client.from_kubeconfig(path)
    for content in ("", "{", "a: [", "clusters: 5", "{}"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        with pytest.raises(ConfigError, match=f"the kubeconfig {path} (cannot be|is not YAML)"):
            Client.from_kubeconfig(path)
