"""What the controller makes of a Function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from kubeless_controller.desired.owned import digest
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import NotFound
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, REPLICASETS, SERVICES, Resource
from support.control_plane import ROOT
from support.controller import Controller
from support.objects import gone
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

pytestmark = pytest.mark.usefixtures("controlled")


def container(client: Client, namespace: str, name: str = "hello") -> Object:
    pod = client.get(DEPLOYMENTS, namespace, name)["spec"]["template"]["spec"]
    first: Object = pod["containers"][0]
    return first


def environment(client: Client, namespace: str, name: str = "hello") -> dict[str, str]:
    env = container(client, namespace, name)["env"]
    return {entry["name"]: entry.get("value", "") for entry in env}


def test_children_and_status(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    made = deploy(labels={"team": "red"}, timeout="2.5")
    assert condition("hello", "Accepted")["status"] == "True"
    assert condition("hello", "Available")["reason"] == "NoPodsReady"
    assert condition("hello", "Ready", "Progressing")["status"] == "False"
    deployment = client.get(DEPLOYMENTS, namespace, "hello")
    service = client.get(SERVICES, namespace, "hello")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    config_map = client.get(CONFIGMAPS, namespace, volumes[0]["configMap"]["name"])

    assert config_map["data"] == {"hello.py": made["spec"]["function"]}
    assert config_map["immutable"] is True
    for child in (deployment, service, config_map):
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (made["metadata"]["uid"], True)
    selector = {"created-by": "kubeless", "function": "hello"}
    assert deployment["spec"]["selector"] == {"matchLabels": selector}
    assert deployment["spec"]["template"]["metadata"]["labels"] == {**selector, "team": "red"}
    assert service["spec"]["selector"] == selector
    assert service["spec"]["ports"][0]["name"] == "http-function-port"
    assert environment(client, namespace) == {
        "FUNC_HANDLER": "handler",
        "FUNC_MEMORY_LIMIT": "0",
        "FUNC_PORT": "8080",
        "FUNC_RUNTIME": "python3.13",
        "FUNC_TIMEOUT": "2.5",
        "HOME": "/tmp",
        "KUBELESS_DRAIN_DELAY": "2",
        "KUBELESS_INSTALL_VOLUME": "/kubeless",
        "MOD_NAME": "hello",
    }
    status = client.get(FUNCTIONS, namespace, "hello")["status"]
    assert status["url"] == f"http://hello.{namespace}.svc:8080"
    assert status["selector"] == "created-by=kubeless,function=hello"
    assert status["sourceChecksum"].startswith("sha256:")


def test_what_is_taken_out_of_a_function_leaves_its_deployment(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    pod = {
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "containers": [{"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}],
        "nodeSelector": {"disk": "fast"},
    }
    deploy(
        labels={"team": "red"},
        env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        secrets=["credentials"],
        resources={"limits": {"memory": "64Mi"}},
        deployment={"spec": {"template": {"spec": pod}}},
    )
    condition("hello", "Accepted", "Valid")
    before = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]
    assert {volume["name"] for volume in before["spec"]["volumes"]} == {
        "source",
        "tmp",
        "scratch",
        "secret-" + digest("credentials"),
    }
    assert before["spec"]["nodeSelector"] == {"disk": "fast"}

    deploy(env=[{"name": "B", "value": "2"}])
    wait_for(lambda: "A" not in environment(client, namespace), "the variable is gone")
    after = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]
    assert environment(client, namespace)["B"] == "2"
    assert {volume["name"] for volume in after["spec"]["volumes"]} == {"source", "tmp"}
    mounts = after["spec"]["containers"][0]["volumeMounts"]
    assert {mount["mountPath"] for mount in mounts} == {"/kubeless", "/tmp"}
    assert after["metadata"]["labels"] == {"created-by": "kubeless", "function": "hello"}
    assert "nodeSelector" not in after["spec"]
    assert not after["spec"]["containers"][0].get("resources")


def test_a_manifest_of_the_originals_command_line(
    client: Client, namespace: str, condition: Condition
) -> None:
    function = yaml.safe_load((ROOT / "tests/apiserver/legacy.yaml").read_text())
    function["metadata"]["namespace"] = namespace
    client.apply(FUNCTIONS, function, manager="user")
    message = condition("get-python", "Accepted", "Valid")["message"]
    assert "runtime python3.7 is run by python3.13" in message
    first = container(client, namespace, "get-python")
    assert first["name"] == "get-python"
    assert first["resources"]["limits"] == {"cpu": "1", "memory": "128Mi"}
    env = environment(client, namespace, "get-python")
    assert (env["FOO"], env["FUNC_TIMEOUT"], env["FUNC_MEMORY_LIMIT"]) == ("bar", "180", "128Mi")
    service = client.get(SERVICES, namespace, "get-python")
    assert service["spec"]["selector"] == {"created-by": "kubeless", "function": "get-python"}
    # Its finalizer would keep the Function for ever: nobody else takes it out.
    client.delete(FUNCTIONS, namespace, "get-python")
    wait_for(lambda: gone(client, FUNCTIONS, namespace, "get-python"), "the Function is gone")


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        (
            {"runtime": "python2.7"},
            "UnknownRuntime",
            "spec.runtime: found 'python2.7'; this installation has",
        ),
        ({"runtime": "go1.14"}, "UnknownRuntime", "runs from an image of your own (spec.image)"),
        (
            {"checksum": "sha256:" + "0" * 64},
            "ChecksumMismatch",
            "but spec.checksum says sha256:000000",
        ),
        ({"function": ""}, "InvalidSpec", "spec.function: found nothing to run"),
        ({"deployment": {"spec": {"template": 5}}}, "InvalidSpec", "spec.deployment.spec.template"),
        (
            {"service": {"ports": [{"port": "http"}]}},
            "InvalidSpec",
            "spec.service.ports[0].port: found 'http', expected a port number",
        ),
        (
            {"env": [{"name": "FUNC_PORT", "value": "1"}]},
            "InvalidSpec",
            "spec.env: found FUNC_PORT, which Kubeless sets itself",
        ),
        (
            {"deployment": {"spec": {"template": {"spec": {"dnsPolicy": "Nonsense"}}}}},
            "Rejected",
            'Unsupported value: "Nonsense"',
        ),
        (
            {"service": {"type": "Nonsense"}},
            "Rejected",
            "the API server refuses what is asked for",
        ),
        (
            {"function-content-type": "base64", "function": "def handler()"},
            "InvalidSpec",
            "the content type says base64, and this is none",
        ),
        (
            {"deployment": {"spec": {"template": {"spec": {"volumes": [{"name": ["a"]}]}}}}},
            "InvalidSpec",
            "spec.deployment.spec.template.spec.volumes[0].name: found ['a']",
        ),
    ],
)
def test_a_spec_that_cannot_be_built_says_why(
    controller: Controller,
    deploy: Deploy,
    condition: Condition,
    spec: Object,
    reason: str,
    message: str,
) -> None:
    deploy(**spec)
    accepted = condition("hello", "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", reason)
    assert message in accepted["message"]
    ready = condition("hello", "Ready")
    assert (ready["status"], ready["reason"]) == ("False", reason)
    # A wrong Function is looked at when it changes, and no more often.
    passes = controller.metric("controller_runtime_reconcile_total")
    deploy("other")
    condition("other", "Ready", "Progressing")
    assert controller.metric("controller_runtime_reconcile_errors_total") == 0
    assert controller.metric("controller_runtime_reconcile_total") - passes < 20


def test_a_wrong_change_leaves_what_runs_alone(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    before = client.get(DEPLOYMENTS, namespace, "hello")["spec"]
    deploy(runtime="cobol")
    condition("hello", "Accepted", "UnknownRuntime")
    assert client.get(DEPLOYMENTS, namespace, "hello")["spec"] == before
    deploy()
    assert condition("hello", "Accepted")["status"] == "True"


@pytest.mark.parametrize("kind", ["Service", "Deployment"])
@pytest.mark.parametrize("labelled", [False, True], ids=["plain", "with our labels"])
def test_an_object_that_is_not_ours_is_never_touched(
    client: Client, namespace: str, deploy: Deploy, condition: Condition, kind: str, labelled: bool
) -> None:
    resource = SERVICES if kind == "Service" else DEPLOYMENTS
    labels = {"created-by": "kubeless", "function": "hello"} if labelled else {"app": "other"}
    pod = {"containers": [{"name": "x", "image": "x"}]}
    spec: Object = (
        {"ports": [{"port": 80}]}
        if kind == "Service"
        else {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        }
    )
    metadata = {"name": "hello", "namespace": namespace, "labels": labels}
    client.create(resource, {"metadata": metadata, "spec": spec})
    before = settled(client, resource, namespace)
    deploy()
    accepted = condition("hello", "Accepted", "Conflict")
    assert f"a {kind} named 'hello' exists already and does not belong" in accepted["message"]
    assert condition("hello", "Ready")["reason"] == "Conflict"
    deploy(env=[{"name": "A", "value": "1"}])
    condition("hello", "Accepted", "Conflict")
    assert settled(client, resource, namespace) == before
    client.delete(resource, namespace, "hello")
    assert condition("hello", "Accepted", "Valid")


def settled(client: Client, resource: Any, namespace: str) -> Object:
    """The object without what its own controllers write."""
    found = client.get(resource, namespace, "hello")
    found.pop("status", None)
    for noise in ("managedFields", "resourceVersion"):
        found["metadata"].pop(noise)
    found["metadata"].setdefault("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    return found


def test_a_deleted_child_comes_back(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    name = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]["volumes"][0][
        "configMap"
    ]["name"]
    for resource, child in ((SERVICES, "hello"), (CONFIGMAPS, name), (DEPLOYMENTS, "hello")):
        uid = client.get(resource, namespace, child)["metadata"]["uid"]
        client.delete(resource, namespace, child)

        def is_back(resource: Any = resource, child: str = child, uid: str = uid) -> bool:
            try:
                return bool(client.get(resource, namespace, child)["metadata"]["uid"] != uid)
            except NotFound:
                return False

        wait_for(is_back, f"the {resource.kind} is back")


@pytest.mark.parametrize(
    ("resource", "edit", "path"),
    [
        (DEPLOYMENTS, {"spec": {"template": {"spec": {"automountServiceAccountToken": True}}}},
         ("spec", "template", "spec", "automountServiceAccountToken")),
        (DEPLOYMENTS, {"metadata": {"labels": {"created-by": "me"}}}, ("metadata", "labels", "created-by")),
        (DEPLOYMENTS, {"metadata": {"labels": {"function": "other"}}}, ("metadata", "labels", "function")),
        (SERVICES, {"metadata": {"labels": {"function": "other"}}}, ("metadata", "labels", "function")),
        (DEPLOYMENTS, {"metadata": {"ownerReferences": []}}, ("metadata", "ownerReferences")),
        (SERVICES, {"spec": {"selector": {"function": "other"}}}, ("spec", "selector", "function")),
        (SERVICES, {"metadata": {"annotations": {"prometheus.io/port": "1"}}},
         ("metadata", "annotations", "prometheus.io/port")),
    ],
    ids=["pod spec", "label", "function label", "function label of service", "owner", "selector", "annotation"],
)  # fmt: skip
def test_an_edited_child_is_repaired(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    resource: Any,
    edit: Object,
    path: tuple[str, ...],
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")

    def value() -> Any:
        found: Any = client.get(resource, namespace, "hello")
        for key in path:
            found = found.get(key)
        return found

    before = value()
    client.patch(resource, namespace, "hello", edit)
    if path[-1] == "ownerReferences":
        # What is not ours is not touched, not even to make it ours again.
        assert condition("hello", "Accepted", "Conflict")
    else:
        wait_for(lambda: value() == before, "the edit is undone")


def test_what_others_own_is_left_alone(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    sidecar = {"name": "proxy", "image": "proxy"}
    client.apply(
        DEPLOYMENTS,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "hello", "namespace": namespace, "annotations": {"note": "mine"}},
            "spec": {"replicas": 4, "template": {"spec": {"containers": [sidecar]}}},
        },
        manager="injector",
    )
    deploy(env=[{"name": "A", "value": "1"}])
    wait_for(lambda: "A" in environment(client, namespace), "the variable is there")
    deployment = client.get(DEPLOYMENTS, namespace, "hello")
    assert deployment["spec"]["replicas"] == 4
    assert deployment["metadata"]["annotations"]["note"] == "mine"
    names = [entry["name"] for entry in deployment["spec"]["template"]["spec"]["containers"]]
    assert names == ["hello", "proxy"]


def test_replicas_follow_the_function_and_nothing_else(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    def replicas() -> int:
        count: int = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["replicas"]
        return count

    deploy(replicas=2)
    condition("hello", "Accepted", "Valid")
    assert replicas() == 2
    client.patch(DEPLOYMENTS, namespace, "hello", {"spec": {"replicas": 5}}, subresource="scale")
    deploy(replicas=2, env=[{"name": "A", "value": "1"}])
    wait_for(lambda: "A" in environment(client, namespace), "the variable is there")
    assert replicas() == 5, "an autoscaler's replicas are its own"
    client.patch(FUNCTIONS, namespace, "hello", {"spec": {"replicas": 3}}, subresource="scale")
    wait_for(lambda: replicas() == 3, "kubectl scale reaches the Deployment")
    deploy(replicas=3, deployment={"spec": {"replicas": 7}})
    wait_for(lambda: replicas() == 7, "spec.deployment comes first")
    deploy(replicas=0)
    wait_for(lambda: replicas() == 0, "scaled to zero")
    assert condition("hello", "Ready", "ScaledToZero")["status"] == "False"


def test_old_sources_go_when_no_replica_set_needs_them(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    def names() -> set[str]:
        found = client.list(CONFIGMAPS, namespace, labels="function=hello")["items"]
        return {item["metadata"]["name"] for item in found}

    def revision() -> str:
        metadata = client.get(DEPLOYMENTS, namespace, "hello")["metadata"]
        found: str = metadata.get("annotations", {}).get("deployment.kubernetes.io/revision", "")
        return found

    for version in range(1, 7):
        deploy(function=f"def handler(event, context):\n    return {version}\n")
        condition("hello", "Accepted", "Valid")
        wait_for(lambda version=version: revision() == str(version), f"revision {version}")
    # Without nodes no pod ever starts, so every ReplicaSet but the newest has none and ages out.
    for item in client.list(REPLICASETS, namespace)["items"]:
        if item["metadata"]["annotations"]["deployment.kubernetes.io/revision"] != "6":
            client.delete(REPLICASETS, namespace, item["metadata"]["name"])
    wait_for(lambda: len(names()) == 1, "only the newest source is left")


def test_a_function_that_is_deleted_takes_everything_along(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    client.delete(FUNCTIONS, namespace, "hello")

    def left() -> list[str]:
        return [
            item["metadata"]["name"]
            for resource in (DEPLOYMENTS, SERVICES, CONFIGMAPS)
            for item in client.list(resource, namespace, labels="function=hello")["items"]
        ]

    wait_for(lambda: not left(), "no child is left", 60)


def test_a_quota_is_named(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    quotas = Resource("", "v1", "resourcequotas", "ResourceQuota")
    client.create(
        quotas,
        {
            "metadata": {"name": "few", "namespace": namespace},
            "spec": {"hard": {"count/configmaps": "0"}},
        },
    )
    wait_for(
        lambda: client.get(quotas, namespace, "few").get("status", {}).get("hard"),
        "the quota counts",
    )
    deploy()
    message = condition("hello", "Accepted", "QuotaExceeded")["message"]
    assert "exceeded quota: few" in message
    client.delete(quotas, namespace, "few")
    assert condition("hello", "Accepted", "Valid")


def test_a_field_that_excludes_ours_is_repaired(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy()
    condition("hello", "Accepted", "Valid")
    before = container(client, namespace)["livenessProbe"]
    volumes = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]["volumes"]
    theirs = {"tcpSocket": None, "httpGet": {"path": "/x", "port": 1}}
    edit = [{**container(client, namespace), "livenessProbe": theirs}]
    other = [{"name": "source", "emptyDir": {}}, *volumes[1:]]
    client.patch(
        DEPLOYMENTS,
        namespace,
        "hello",
        {"spec": {"template": {"spec": {"containers": edit, "volumes": other}}}},
        manager="somebody",
    )

    def repaired() -> bool:
        pod = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]
        return pod["containers"][0]["livenessProbe"] == before and pod["volumes"] == volumes

    wait_for(repaired, "the probe and the volume are ours again")
    deploy(function="x = 2")
    assert condition("hello", "Accepted")["status"] == "True"


def test_what_is_taken_out_leaves_also_when_nobody_owns_it(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    deploy(env=[{"name": "A", "value": "1"}])
    condition("hello", "Accepted", "Valid")
    client.patch(DEPLOYMENTS, namespace, "hello", {"metadata": {"managedFields": [{}]}})
    deploy()
    wait_for(lambda: "A" not in environment(client, namespace), "the variable is gone")


def test_a_function_that_is_deleted_and_made_again_waits_for_what_the_first_left(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    for number in range(3):
        deploy(function=f"x = {number}")
        condition("hello", "Accepted", "Valid")
        client.delete(FUNCTIONS, namespace, "hello")
        deploy(function=f"x = {number}", env=[{"name": "AGAIN", "value": "1"}])
        seen = set()

        def accepted(seen: set[str] = seen) -> bool:
            status = client.get(FUNCTIONS, namespace, "hello").get("status") or {}
            reasons = {c["type"]: c["reason"] for c in status.get("conditions", [])}
            seen.add(reasons.get("Accepted", ""))
            return reasons.get("Accepted") == "Valid"

        wait_for(accepted, "the second Function is built", 60)
        assert "Conflict" not in seen
        assert "AGAIN" in environment(client, namespace)
        client.delete(FUNCTIONS, namespace, "hello")
        wait_for(lambda: gone(client, DEPLOYMENTS, namespace, "hello"), "nothing is left", 60)


def test_an_admission_webhook_that_does_not_answer_is_named(
    client: Client, namespace: str, deploy: Deploy, condition: Condition
) -> None:
    hooks = Resource(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
    )
    name = f"down-{namespace}"
    client.create(
        hooks,
        {
            "metadata": {"name": name},
            "webhooks": [
                {
                    "name": "down.example.com",
                    "clientConfig": {"url": "https://127.0.0.1:1/"},
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": namespace}
                    },
                    "rules": [
                        {
                            "apiGroups": ["apps"],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE"],
                            "resources": ["deployments"],
                        }
                    ],
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                    "timeoutSeconds": 1,
                }
            ],
        },
    )
    try:
        deploy()
        message = condition("hello", "Accepted", "Rejected")["message"]
        assert "down.example.com" in message
    finally:
        client.delete(hooks, None, name)
    assert condition("hello", "Accepted", "Valid")


def test_two_wishes_for_replicas_are_said(deploy: Deploy, condition: Condition) -> None:
    deploy(replicas=3, deployment={"spec": {"replicas": 7}})
    message = condition("hello", "Accepted", "Valid")["message"]
    assert "spec.deployment.spec.replicas (7) comes before spec.replicas (3)" in message
