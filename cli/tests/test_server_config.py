"""The controller's configuration: found among others, read, and shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from kubeless_cli import server_config
from kubeless_cli.app import root
from kubeless_cli.errors import Failure

Object = dict[str, Any]

CONFIG: Object = {
    "runtimes": [
        {
            "id": "ruby3.3",
            "image": "registry.example.com/" + "team/" * 12 + "ruby3.3:1",
            "installImage": "registry.example.com/ruby3.3-install:1",
            "installCommand": [],
            "suffix": ".rb",
            "dependencyFile": "Gemfile",
            "aliases": [f"ruby2.{minor}" for minor in range(8)],
        },
        {"id": "cobol2002", "image": "registry.example.com/cobol:1", "suffix": ".cob"},
    ],
    "drainSeconds": 2,
    "imagePullSecrets": [],
    "dependencies": {"env": [{"name": "A", "value": "1"}], "caBundle": {"key": "ca.crt"}},
    "sources": {"allowLocalUrls": False},
}


def config_map(data: str = json.dumps(CONFIG)) -> Object:
    return {
        "metadata": {
            "name": "kubeless-controller",
            "namespace": "kubeless",
            "labels": {"app.kubernetes.io/version": "1.2.3"},
        },
        "data": {"config.json": data},
    }


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        ({"app.kubernetes.io/name": "kubeless"}, True),
        ({"app.kubernetes.io/name": "fn", "helm.sh/chart": "kubeless-0.1.0"}, True),
        ({"app.kubernetes.io/name": "ingress-nginx", "helm.sh/chart": "ingress-nginx-4"}, False),
        ({}, False),
    ],
)
def test_another_controllers_configuration_is_not_ours(labels: Object, ours: bool) -> None:
    found = config_map()
    found["metadata"]["labels"] = labels
    assert server_config.is_ours(found) is ours
    assert not server_config.is_ours(found | {"data": {"nginx.conf": ""}})
    assert not server_config.is_ours({"metadata": {"labels": None}})


def test_the_page_has_every_runtime_and_every_setting() -> None:
    found = config_map()
    page = server_config.page(found, server_config.parse(found))
    table, settings = page.split("\n\n")
    header, first, second, third = table.splitlines()
    assert header.split() == ["RUNTIME", "ALIASES", "IMAGE", "INSTALL_IMAGE", "DEPENDENCY_FILE"]
    assert first.split() == [
        *("ruby3.3", "ruby2.0,", "ruby2.1,", "ruby2.2,", "ruby2.3,"),
        CONFIG["runtimes"][0]["image"],
        *("registry.example.com/ruby3.3-install:1", "Gemfile"),
    ]
    assert second.split() == ["ruby2.4,", "ruby2.5,", "ruby2.6,", "ruby2.7"]
    assert third.split() == ["cobol2002", "registry.example.com/cobol:1"]
    assert [line.split(maxsplit=1) for line in settings.splitlines()] == [
        ["ConfigMap:", "kubeless/kubeless-controller"],
        ["Version:", "1.2.3"],
        ["drainSeconds:", "2"],
        ["imagePullSecrets:", "[]"],
        ["dependencies.env:", '[{"name": "A", "value": "1"}]'],
        ["dependencies.caBundle.key:", "ca.crt"],
        ["sources.allowLocalUrls:", "false"],
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ("{}", "'runtimes' are not a list"),
        ('{"runtimes": [{"image": "x"}]}', "objects that have an id"),
        ('{"runtimes": ["python"]}', "objects that have an id"),
    ],
)
def test_a_configuration_that_is_none_is_said(data: str, words: str) -> None:
    with pytest.raises(Failure) as caught:
        server_config.parse(config_map(data))
    assert words in caught.value.message
    assert "kubeless/kubeless-controller" in caught.value.message
    assert len(caught.value.message.splitlines()) == 2


def test_a_namespace_that_can_be_none_is_wrong_usage() -> None:
    done = CliRunner().invoke(root, ["get-server-config", "--kubeless-namespace", "No_Such"])
    assert done.exit_code == 2
    assert "'No_Such' is not a namespace name" in done.stderr
