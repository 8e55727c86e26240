"""Installations with values of their own: what is said about dependencies and sources is in effect for every Function,
and of two controllers one takes over when the other goes."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, PODS
from support import certificates, gems, packages
from support.calls import answer
from support.installations import Installation, installed, new_namespace
from support.objects import SECRETS
from support.shelf import Shelf, set_up
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Values = Callable[[Object], Installation]

USER, PASSWORD, WRONG = "reader", "s3cret-of-the-index", "wr0ng-of-the-index"
GREETING = "Hello from the shelf"

#: By name: the spec of a Function in each language that needs the package `greeting`.
FUNCTIONS: dict[str, Object] = {
    "in-python": {
        "runtime": "python3.13",
        "function": "import greeting\ndef handler(event, context):\n    return greeting.WORD\n",
        "deps": "greeting==1.0\n",
    },
    "in-node": {
        "runtime": "nodejs24",
        "function": "exports.handler = () => require('greeting');\n",
        "deps": json.dumps({"dependencies": {"greeting": "1.0.0"}}),
    },
    "in-ruby": {
        "runtime": "ruby3.3",
        "function": "require 'greeting'\ndef handler(event, context) = GREETING\n",
        "deps": "source 'http://gems.example'\ngem 'greeting'\n",
    },
}
#: What each installer asks its index for first.
FIRST = {"in-python": "/simple/greeting/index.html", "in-node": "/greeting", "in-ruby": "/versions"}


@pytest.fixture
def namespace(client: Client) -> Iterator[str]:
    """A namespace that the installation of the test looks after, and no other one."""
    with new_namespace(client) as name:
        yield name


@pytest.fixture
def values(cluster: dict[str, str], client: Client, namespace: str) -> Iterator[Values]:
    """Install the chart with more values: `values` returns where that is."""
    with contextlib.ExitStack() as stack:
        yield lambda more: stack.enter_context(
            installed(client, cluster, [namespace], {"controller.replicas": 1, **more})
        )


def offers(folder: Path, npm_url: str) -> packages.Files:
    """The package `greeting` for every installer."""
    npm = packages.npm_package("greeting", "1.0.0", {"index.js": f"module.exports = '{GREETING}';"})
    gem = gems.build(folder, "greeting", {"lib/greeting.rb": f"GREETING = '{GREETING}'\n"})
    return {
        **packages.python_index("greeting", {"greeting.py": f"WORD = '{GREETING}'\n"}),
        **packages.npm_registry(npm_url, "greeting", {"1.0.0": npm}),
        **gems.index({"greeting": gem}, {}),
    }


def give(client: Client, namespace: str, shelf: Shelf, password: str) -> None:
    """The Secret that the installers' environment comes from, with this password."""
    known = f"https://{USER}:{password}@{shelf.host}:8443"
    data = {
        "PIP_INDEX_URL": f"{known}/simple",
        "NPM_CONFIG_EXTRA": f"//{shelf.host}:8443/:_authToken={password}",
        "BUNDLE_MIRROR__ALL": known,
    }
    secret = {"metadata": {"name": "index", "namespace": namespace}, "stringData": data}
    client.apply(SECRETS, {"apiVersion": "v1", "kind": "Secret", **secret}, manager="user")


def seen_by_others(installation: Installation, namespace: str, kubectl: Run) -> str:
    """All that is said of the test's Functions where others may read it."""
    kinds = "functions,deployments,replicasets,services,events"
    said = [kubectl("get", kinds, "-n", namespace, "-o", "json").stdout]
    said.append(
        kubectl("get", "pods", "-n", namespace, "-l", "created-by=kubeless", "-o", "json").stdout
    )
    pods = kubectl("get", "pods", "-n", namespace, "-l", "created-by=kubeless", "-o", "name")
    for pod in pods.stdout.split():
        for container in ("prepare", "install"):
            said.append(kubectl("logs", pod, "-n", namespace, "-c", container).stdout)
    controller = f"deployment/{installation.name}-controller"
    said.append(kubectl("logs", controller, "-n", installation.name).stdout)
    return "\n".join(said)


def test_an_index_with_credentials_and_an_authority_of_its_own(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    kubectl: Run,
    values: Values,
    tmp_path: Path,
) -> None:
    url = Shelf(client, namespace).secure_url
    issued = certificates.issue(tmp_path, Shelf(client, namespace).host)
    shelf = set_up(
        client,
        namespace,
        offers(tmp_path, url),
        credentials=f"{USER}:{PASSWORD}",
        certificate={name: issued[name] for name in ("tls.crt", "tls.key")},
    )
    bundle = {"metadata": {"name": "trusted", "namespace": namespace}}
    client.create(CONFIGMAPS, {**bundle, "data": {"authorities.pem": issued["ca.crt"]}})
    # Tried once: what is refused for a wrong password is refused at once.
    tuning = {"PIP_RETRIES": "0", "NPM_CONFIG_FETCH_RETRIES": "0", "BUNDLE_RETRY": "0"}
    named = {"metadata": {"name": "tuning", "namespace": namespace}}
    client.create(CONFIGMAPS, {**named, "data": tuning})
    give(client, namespace, shelf, PASSWORD)
    installation = values(
        {
            "dependencies.env": [{"name": "NPM_REGISTRY", "value": f"{url}/"}],
            "dependencies.envFrom": [
                {"secretRef": {"name": "index"}},
                {"configMapRef": {"name": "tuning"}},
            ],
            "dependencies.caBundle": {"configMapName": "trusted", "key": "authorities.pem"},
        }
    )
    for name, spec in FUNCTIONS.items():
        deploy(name, **spec)
    for name in FUNCTIONS:
        condition(name, "Ready", "True", 180)
        assert answer(client, namespace, name) == GREETING
    asked = shelf.asked()
    for path in FIRST.values():
        assert ("-", path, True) in asked
    assert all(known for _, path, known in asked if path.endswith((".gem", ".tgz", ".whl")))

    # The same with a password that the index does not know: said, without the password.
    give(client, namespace, shelf, WRONG)
    for name, spec in FUNCTIONS.items():
        deploy(name, **spec, env=[{"name": "CHANGED", "value": "true"}])
    for name in FUNCTIONS:
        message = condition(name, "Ready", "DependenciesFailed", 180)["message"]
        # pip names the package that it could not have; the others say who was refused, and by whom.
        assert any(word in message for word in ("greeting==1.0", "401", "username")), message
    said = seen_by_others(installation, namespace, kubectl)
    assert "DependenciesFailed" in said
    assert PASSWORD not in said
    assert WRONG not in said


def test_a_proxy(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    values: Values,
    tmp_path: Path,
) -> None:
    shelf = set_up(client, namespace, offers(tmp_path, "http://npm.example"))
    env = {
        "HTTP_PROXY": shelf.url,
        "http_proxy": shelf.url,
        "PIP_INDEX_URL": "http://pip.example/simple",
        "PIP_TRUSTED_HOST": "pip.example",
        "NPM_REGISTRY": "http://npm.example/",
    }
    values({"dependencies.env": [{"name": name, "value": value} for name, value in env.items()]})
    for name, spec in FUNCTIONS.items():
        deploy(name, **spec)
    for name in FUNCTIONS:
        condition(name, "Ready", "True", 180)
        assert answer(client, namespace, name) == GREETING
    asked = shelf.asked()
    for host, name in (("pip", "in-python"), ("npm", "in-node"), ("gems", "in-ruby")):
        assert (f"{host}.example", FIRST[name], True) in asked


def test_the_size_of_downloads(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    values: Values,
) -> None:
    shelf = set_up(client, namespace, {"hello.py": b"#" * 2001})
    values({"sources.downloadLimitBytes": 2000})
    deploy(**{"function": f"{shelf.url}/hello.py", "function-content-type": "url"})
    ready = condition("hello", "Ready", "SourceTooLarge")
    assert ready["status"] == "False"
    assert "more than 2000 bytes" in ready["message"]


def test_a_second_replica_takes_over_when_the_leader_goes(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, values: Values
) -> None:
    installation = values({"controller.replicas": 2})
    first = wait_for(installation.leader, "a leader")
    assert len(installation.controllers()) >= 2
    client.delete(PODS, installation.name, first)
    deploy()
    assert condition("hello", "Ready", "True")
    second = installation.leader()
    assert second not in ("", first)
    wait_for(lambda: first not in installation.controllers(), "the first one is gone", 40)
