"""What the API server says to a Function that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import ApiError
from support.functions import manifest
from support.namespaces import made

SHA = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def namespace(client: Client) -> str:
    """One for all: what is made here is refused, or a dry run."""
    return made(client)


@pytest.mark.parametrize("name", ["9lives", "has.dot", "a" * 64])
def test_a_name_that_no_service_can_have(refused: Callable[..., str], name: str) -> None:
    message = refused(name)
    assert "metadata.name: the function's Service has the same name" in message
    assert "like 'my-function'" in message


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("hello", "found 'hello'"),
        ("a.b.c", "found 'a.b.c'"),
        (".handler", "found '.handler'"),
        ("hello.", "found 'hello.'"),
        ("a/b.c", "found 'a/b.c'"),
        ("", "found nothing although spec.function has source"),
        (None, "found nothing although spec.function has source"),
    ],
)
def test_a_handler_that_is_not_module_and_function(
    refused: Callable[..., str], handler: str | None, found: str
) -> None:
    message = refused(handler=handler)
    assert f"spec.handler: {found}" in message
    assert "'<module>.<function>'" in message


@pytest.mark.parametrize("handler", ["hello.handler", "pubsub-python.handler", "a_b.Über"])
def test_handlers_that_are_right(client: Client, namespace: str, handler: str) -> None:
    client.create(FUNCTIONS, manifest(namespace, handler=handler), dry_run=True)


@pytest.mark.parametrize("timeout", [0, -1, "0", "-5", "abc", "1e3", "0.0", " 5"])
def test_a_timeout_that_is_no_positive_number(refused: Callable[..., str], timeout: Any) -> None:
    message = refused(timeout=timeout)
    assert f"spec.timeout: found '{timeout}'" in message
    assert "positive number of seconds, like 30 or '2.5'" in message


@pytest.mark.parametrize("timeout", [1, 180, "", "30", "2.5", None])
def test_timeouts_that_are_right(client: Client, namespace: str, timeout: Any) -> None:
    client.create(FUNCTIONS, manifest(namespace, timeout=timeout), dry_run=True)


@pytest.mark.parametrize("checksum", ["md5:0", "sha256:abc", "0" * 64, SHA + "0"])
def test_a_checksum_of_another_form(refused: Callable[..., str], checksum: str) -> None:
    message = refused(checksum=checksum)
    assert f"spec.checksum: found '{checksum}'" in message
    assert "'sha256:' and 64 hexadecimal digits" in message


@pytest.mark.parametrize("content_type", ["zip", "text+zip", "base64+rar", "url+zip+tar"])
def test_a_content_type_that_does_not_exist(refused: Callable[..., str], content_type: str) -> None:
    message = refused(**{"function-content-type": content_type})
    assert f"spec.function-content-type: found '{content_type}'" in message
    assert "'text', 'base64' or 'url'" in message


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text",
        "base64",
        "url",
        "base64+zip",
        "url+compressedtar",
        "text+deps",
        "base64+zip+deps",
    ],
)
def test_content_types_that_are_right(client: Client, namespace: str, content_type: str) -> None:
    spec = {"function-content-type": content_type}
    client.create(FUNCTIONS, manifest(namespace, **spec), dry_run=True)


@pytest.mark.parametrize("runtime", ["", None])
def test_source_without_a_runtime(refused: Callable[..., str], runtime: str | None) -> None:
    assert "spec.runtime: found nothing although spec.function has source" in refused(
        runtime=runtime
    )


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("replicas", -1, "spec.replicas"),
        ("replicas", "two", "spec.replicas"),
        ("concurrency", -1, "spec.concurrency"),
        ("resources", {"limits": {"memory": "12Zi"}}, "found '12Zi'; write a quantity like 128Mi"),
        ("serviceAccountName", "Not A Name", "spec.serviceAccountName: found 'Not A Name'"),
        ("env", [{"name": "A=B"}], "env name: found 'A=B'"),
        ("env", [{"name": "A"}, {"name": "A"}], 'Duplicate value: {"name":"A"}'),
        ("env", [{"value": "x"}], "name"),
        ("secrets", ["a", "a"], "Duplicate value"),
        ("imagePullSecrets", [{}], "name"),
        ("dependencies", {"caBundle": {}}, "spec.dependencies.caBundle.configMapName"),
        ("deployment", "text", "spec.deployment"),
    ],
)
def test_a_field_of_the_wrong_shape(
    refused: Callable[..., str], field: str, value: Any, expected: str
) -> None:
    assert expected in refused(**{field: value})


def test_a_field_that_does_not_exist(client: Client, namespace: str) -> None:
    with pytest.raises(ApiError) as caught:
        client.apply(FUNCTIONS, manifest(namespace, handlr="x"), manager="user", dry_run=True)
    assert ".spec.handlr: field not declared in schema" in caught.value.message


def test_replicas_default_to_one(client: Client, namespace: str) -> None:
    made = client.create(FUNCTIONS, manifest(namespace), dry_run=True)
    assert made["spec"]["replicas"] == 1


def test_columns_of_a_list(client: Client, namespace: str) -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
    answer = client.request("GET", FUNCTIONS.path(namespace), headers={"Accept": accept})
    columns = [column["name"] for column in answer.json()["columnDefinitions"]]
    assert columns == ["Name", "Runtime", "Handler", "Ready", "Reason", "Replicas", "URL", "Age"]
