"""Functions in a real cluster: what runs, what fails, and what changes while it is called."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS, NAMESPACES, PODS, SERVICES
from support.calls import address, call
from support.control_plane import ROOT
from support.load import Load
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]
Run = Callable[..., subprocess.CompletedProcess[str]]


def source(version: int) -> str:
    return f"def handler(event, context):\n    return 'version {version}'\n"


def test_the_originals_manifest_becomes_ready_and_answers(
    client: Client, namespace: str, condition: Condition
) -> None:
    function = yaml.safe_load((ROOT / "tests/apiserver/legacy.yaml").read_text())
    function["metadata"]["namespace"] = namespace
    client.apply(FUNCTIONS, function, manager="user")
    condition("get-python", "Ready", "True")
    assert call(address(client, namespace, "get-python")) == (200, "hello world")


def test_kubectl_sees_what_it_expects(
    namespace: str, deploy: Deploy, condition: Condition, kubectl: Run
) -> None:
    deploy()
    kubectl("wait", "--for=condition=Ready", "function/hello", "--timeout=60s", "-n", namespace)
    header, row = kubectl("get", "fn", "-n", namespace).stdout.splitlines()
    assert header.split() == ["NAME", "RUNTIME", "HANDLER", "READY", "REASON", "REPLICAS", "AGE"]
    assert row.split()[:6] == ["hello", "python3.13", "hello.handler", "True", "Serving", "1"]
    kubectl("scale", "fn/hello", "--replicas=2", "-n", namespace)
    wait_for(
        lambda: "2 of 2 pods serving" in condition("hello", "Ready", "True")["message"],
        "both pods serve",
    )
    told = kubectl("get", "events", "-n", namespace, "-o", "jsonpath={.items[*].reason}").stdout
    assert told.split().count("Ready") == 1, "that it was scaled is no transition"


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        (
            {"function": "def handler(event, context)\n    return 1\n"},
            "LoadFailed",
            ["SyntaxError", "line 1", "def handler(event, context)"],
        ),
        ({"handler": "hello.nothing"}, "LoadFailed", ["nothing", "handler"]),
        (
            {"function": "import flaskk\ndef handler(event, context):\n    return 1\n"},
            "LoadFailed",
            ["No module named 'flaskk'"],
        ),
        (
            {"function": "import sys\nsys.exit(3)\n"},
            "LoadFailed",
            ["3"],
        ),
        (
            {"runtime": "", "image": "localhost/nothing:1"},
            "ImagePullFailed",
            ["localhost/nothing:1"],
        ),
        (
            {
                "function": "x = bytearray(200 * 1024 * 1024)\ndef handler(event, context):\n    return 1\n",
                "resources": {"limits": {"memory": "96Mi"}},
            },
            "OutOfMemory",
            ["raise resources.limits.memory"],
        ),
        (
            {"resources": {"requests": {"memory": "900Gi"}}},
            "Unschedulable",
            ["Insufficient memory"],
        ),
        (
            {"deployment": {"spec": {"template": {"spec": {"hostNetwork": True}}}}},
            "PodsForbidden",
            ['violates PodSecurity "restricted', "hostNetwork"],
        ),
        (
            {
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "missing", "key": "a"}}}
                ]
            },
            "ContainerConfigError",
            ['configmap "missing" not found'],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_function_that_cannot_run_says_why(
    deploy: Deploy, condition: Condition, spec: Object, reason: str, message: list[str]
) -> None:
    deploy(**spec)
    ready = condition("hello", "Ready", reason, 120)
    assert ready["status"] == "False"
    for part in message:
        assert part in ready["message"]


def test_a_broken_new_version_leaves_the_old_pods_serving(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(function=source(1))
    condition("hello", "Ready", "True")
    host = address(client, namespace)
    assert call(host) == (200, "version 1")
    with Load(host, 8080, threads=2) as load:
        deploy(function="this is (not Python")
        ready = condition("hello", "Ready", "LoadFailed")
        assert "SyntaxError" in ready["message"]
        assert condition("hello", "Available", "True")["reason"] == "Serving"
    assert set(load.answers) == {"version 1"}
    assert not load.failures
    deploy(function=source(3))
    condition("hello", "Ready", "True")
    wait_for(lambda: call(host)[1] == "version 3", "the mended version serves")


def test_a_change_of_the_source_fails_no_request(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(function=source(1), replicas=2)
    condition("hello", "Ready", "True")
    host = address(client, namespace)
    call(host)
    with Load(host, 8080, threads=4) as load:
        wait_for(lambda: load.count("version 1") > 100, "the load runs")
        for version in (2, 3):
            deploy(function=source(version), replicas=2)
            condition("hello", "Ready", "True")
            wait_for(
                lambda version=version: load.count(f"version {version}") > 100,
                "the new one is called",
            )
        wait_for(lambda: len(pods(client, namespace)) == 2, "the old pods are gone", 60)
    assert not load.failures, load.failures[:5]
    assert set(load.answers) == {"version 1", "version 2", "version 3"}


def test_a_change_of_the_port_fails_no_request(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(function=source(1))
    condition("hello", "Ready", "True")
    host = address(client, namespace)
    call(host)
    with Load(host, 8080, threads=2) as load:
        wait_for(lambda: load.count("version 1") > 50, "the load runs")
        service = {"ports": [{"name": "http-function-port", "port": 8080, "targetPort": 9090}]}
        deploy(function=source(2), service=service)
        condition("hello", "Ready", "True")
        wait_for(lambda: load.count("version 2") > 50, "the new one is called")
        deploy(
            function="this is (not Python", service={"ports": [{"port": 8080, "targetPort": 9191}]}
        )
        condition("hello", "Ready", "LoadFailed")
        before = load.count("version 2")
        wait_for(lambda: load.count("version 2") > before + 50, "the one before still serves")
    assert not load.failures, load.failures[:5]


def test_old_pods_keep_the_old_code_until_they_end(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, kubectl: Run
) -> None:
    # The source is read again on every call: what the volume has now is what is answered.
    read = "def handler(event, context):\n    return open(__file__).read() + '#{}'\n"
    deploy(function=read.replace("{}", "1"))
    condition("hello", "Ready", "True")
    (old,) = pods(client, namespace)
    deploy(function=read.replace("{}", "2"))
    condition("hello", "Ready", "True")
    status, body = call(old["status"]["podIP"])
    assert status == 200
    assert "#1'" in body
    assert "#2" not in body


def pods(client: Client, namespace: str) -> list[Object]:
    found: list[Object] = client.list(PODS, namespace, labels="function=hello")["items"]
    return found


def test_drift_is_repaired_in_a_running_cluster(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Ready", "True")
    client.delete(SERVICES, namespace, "hello")
    client.delete(DEPLOYMENTS, namespace, "hello")
    wait_for(lambda: _answers(client, namespace), "the function is back", 60)
    condition("hello", "Ready", "True")


def _answers(client: Client, namespace: str) -> bool:
    from kubeless_kube.errors import NotFound

    try:
        return call(address(client, namespace)) == (200, "hello")
    except (NotFound, AssertionError):
        return False


def test_every_namespace_of_kubeless_is_restricted(client: Client, namespace: str) -> None:
    for name in ("kubeless", namespace):
        labels = client.get(NAMESPACES, None, name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_function_gets_no_token_and_no_service_links(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    look = (
        "import os\n"
        "def handler(event, context):\n"
        "    token = os.path.exists('/var/run/secrets/kubernetes.io/serviceaccount/token')\n"
        "    return {'token': token, 'uid': os.getuid(),\n"
        "            'links': [k for k in os.environ if k.startswith('HELLO_')]}\n"
    )
    deploy(function=look)
    condition("hello", "Ready", "True")
    _, body = call(address(client, namespace))
    assert yaml.safe_load(body) == {"token": False, "uid": 1000, "links": []}


def test_a_timeout_is_answered_408(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    spin = "def handler(event, context):\n    while True:\n        pass\n"
    deploy(function=spin, timeout=1)
    condition("hello", "Ready", "True")
    assert call(address(client, namespace)) == (408, "Request timeout exceeded")


def test_a_function_that_raises_is_answered_500_and_logged(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, kubeless: Run
) -> None:
    deploy(function="def handler(event, context):\n    raise ValueError('broken on purpose')\n")
    condition("hello", "Ready", "True")
    status, body = call(address(client, namespace))
    assert status == 500
    assert "broken on purpose" not in body
    logs = kubeless("function", "logs", "hello", "--namespace", namespace)
    assert "ValueError: broken on purpose" in logs.stdout
