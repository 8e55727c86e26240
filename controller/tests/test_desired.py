"""From a Function to its objects, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.function import parse
from kubeless_api.runtimes import Runtime, RuntimeTable
from kubeless_api.source import checksum_of
from kubeless_controller.desired.children import Children, build
from kubeless_controller.settings import CaBundle, Dependencies, Settings

Object = dict[str, Any]
SETTINGS = Settings(
    runtimes=RuntimeTable(
        [
            Runtime(
                "python3.13",
                "registry/python3.13:1",
                ".py",
                dependency_file="requirements.txt",
                install_image="registry/python3.13-install:1",
                aliases=("python3.7",),
            ),
            Runtime("cobol", "registry/cobol:1", ".cob"),
        ]
    ),
    image_pull_secrets=("everywhere",),
    prepare_image="registry/python3.13:1",
    dependencies=Dependencies(
        env=({"name": "PIP_INDEX_URL", "value": "all"}, {"name": "HTTPS_PROXY", "value": "all"}),
        env_from=({"secretRef": {"name": "pip", "optional": True}},),
        ca_bundle=CaBundle("trusted"),
    ),
)
SOURCE = "def handler(event, context): pass\n"


def children(labels: dict[str, str] | None = None, **spec: Any) -> Children:
    base = {"runtime": "python3.13", "handler": "hello.handler", "function": SOURCE}
    metadata = {"namespace": "default", "name": "hello", "uid": "1", "labels": labels or {}}
    return build(parse({"metadata": metadata, "spec": {**base, **spec}}), SETTINGS)


def pod(**spec: Any) -> Object:
    found: Object = children(**spec).deployment["spec"]["template"]["spec"]
    return found


def container(**spec: Any) -> Object:
    found: Object = pod(**spec)["containers"][0]
    return found


def env(**spec: Any) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in container(**spec)["env"]}


def overlay(**pod: Any) -> Object:
    return {"spec": {"template": {"spec": pod}}}


def refusal(**spec: Any) -> str:
    with pytest.raises(SpecError) as caught:
        children(**spec)
    return caught.value.message


def test_the_source_is_named_by_its_content_and_by_nothing_else() -> None:
    first, second = children(), children(env=[{"name": "A", "value": "1"}], labels={"team": "red"})
    assert first.config_map is not None
    assert first.config_map == second.config_map
    other = children(function="x = 1").config_map
    assert other is not None
    assert other["metadata"]["name"] != first.config_map["metadata"]["name"]
    assert first.source_checksum == checksum_of(SOURCE.encode())


def test_a_source_that_does_not_fit_is_refused() -> None:
    assert "at most 1047552 fit into a ConfigMap" in refusal(function="ü" * 600_000)


def test_a_pod_is_hardened() -> None:
    spec = pod()
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "initContainers" not in spec


def test_a_service_account_brings_its_token() -> None:
    spec = pod(serviceAccountName="reader")
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("reader", True)
    spec = pod(deployment=overlay(serviceAccountName="writer"))
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("writer", True)


@pytest.mark.parametrize(("timeout", "seconds"), [(180, 187), ("2.5", 10), ("0.1", 8)])
def test_the_grace_period_is_longer_than_the_slowest_call(timeout: Any, seconds: int) -> None:
    assert pod(timeout=timeout)["terminationGracePeriodSeconds"] == seconds


def test_the_environment_of_the_contract() -> None:
    assert env(timeout="2.5", concurrency=4, resources={"limits": {"memory": "64Mi"}}) == {
        "FUNC_CONCURRENCY": "4",
        "FUNC_HANDLER": "handler",
        "FUNC_MEMORY_LIMIT": "64Mi",
        "FUNC_PORT": "8080",
        "FUNC_RUNTIME": "python3.13",
        "FUNC_TIMEOUT": "2.5",
        "HOME": "/tmp",
        "KUBELESS_DRAIN_DELAY": "2",
        "KUBELESS_INSTALL_VOLUME": "/kubeless",
        "MOD_NAME": "hello",
    }


def test_names_of_the_contract_cannot_be_taken() -> None:
    taken = [{"name": "MOD_NAME", "value": "x"}]
    assert "spec.env: found MOD_NAME, which Kubeless sets itself" in refusal(env=taken)
    said = refusal(deployment=overlay(containers=[{"env": taken}]))
    assert "spec.deployment.spec.template.spec.containers[0].env: found MOD_NAME" in said


def test_secrets_are_mounted_at_their_names_and_never_swapped() -> None:
    names = ["my.secret", "my-secret", "x" * 200 + "a", "x" * 200 + "b"]
    spec = pod(secrets=names)
    volumes = {
        entry["name"]: entry["secret"]["secretName"]
        for entry in spec["volumes"]
        if "secret" in entry
    }
    mounts = {
        entry["mountPath"]: volumes[entry["name"]]
        for entry in spec["containers"][0]["volumeMounts"]
        if entry["name"] in volumes
    }
    assert mounts == {f"/{name}": name for name in names}
    assert all(len(name) <= 63 for name in volumes)


@pytest.mark.parametrize("name", ["tmp", "kubeless", "etc"])
def test_a_secret_is_never_mounted_over_what_the_function_needs(name: str) -> None:
    assert f"spec.secrets: found '{name}', which would be mounted over /{name}" in refusal(
        secrets=[name]
    )


def test_the_functions_port_keeps_its_name_under_a_users_ports() -> None:
    ports = [{"containerPort": 8080, "name": "web"}, {"containerPort": 9000, "name": "admin"}]
    first = container(deployment=overlay(containers=[{"ports": ports}]))
    assert [(entry["containerPort"], entry["name"]) for entry in first["ports"]] == [
        (8080, "http"),
        (9000, "admin"),
    ]


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"volumes": [{"name": ["a"]}]}, "volumes[0].name: found ['a'], expected a name"),
        ({"containers": [{"ports": [{"containerPort": {}}]}]}, "ports[0].containerPort: found {}"),
        ({"containers": [{"env": [{"name": ["x"]}]}]}, "env[0].name: found ['x']"),
        ({"containers": [{"env": [{}]}]}, "env[0].name: found nothing, expected a name"),
        ({"imagePullSecrets": [{}]}, "imagePullSecrets[0].name: found nothing"),
    ],
)
def test_entries_without_a_plain_key_are_refused(over: Object, said: str) -> None:
    assert said in refusal(deployment=overlay(**over))


@pytest.mark.parametrize(("timeout", "text"), [(1234567, "1234567"), ("180.123456", "180.123456")])
def test_timeouts_reach_the_runtime_as_they_were_written(timeout: Any, text: str) -> None:
    assert env(timeout=timeout)["FUNC_TIMEOUT"] == text


def test_image_pull_secrets_of_all_places_are_joined() -> None:
    spec = pod(
        imagePullSecrets=[{"name": "mine"}, {"name": "everywhere"}],
        deployment=overlay(imagePullSecrets=[{"name": "theirs"}]),
    )
    assert [entry["name"] for entry in spec["imagePullSecrets"]] == ["everywhere", "mine", "theirs"]


def test_the_first_container_is_the_functions_whatever_its_name() -> None:
    over = {"name": "other", "env": [{"name": "A", "value": "2"}], "imagePullPolicy": "Always"}
    first, sidecar = pod(
        env=[{"name": "A", "value": "1"}],
        deployment=overlay(containers=[over, {"name": "proxy", "image": "proxy:1"}]),
    )["containers"]
    assert (first["name"], first["imagePullPolicy"]) == ("hello", "Always")
    assert {"name": "A", "value": "2"} in first["env"]
    assert {"name": "A", "value": "1"} not in first["env"]
    assert sidecar == {"name": "proxy", "image": "proxy:1"}


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        ([{}, {"image": "x"}], "containers[1].name: found nothing"),
        ([{}, {"name": "x"}], "containers[1].image: found nothing"),
        ([{}, {"name": "hello", "image": "x"}], "containers[1].name: found 'hello'"),
        ([5], "containers[0]: found 5, expected an object"),
        ("x", "containers: found 'x', expected a list"),
        ([{"env": "x"}], "containers[0].env: found 'x', expected a list"),
    ],
)
def test_containers_that_cannot_be_laid_over(containers: Any, said: str) -> None:
    assert said in refusal(deployment=overlay(containers=containers))


def test_what_is_given_as_a_whole_replaces_ours() -> None:
    probe = {"exec": {"command": ["true"]}}
    first = container(
        deployment=overlay(
            containers=[{"livenessProbe": probe, "securityContext": {"runAsUser": 7}}]
        )
    )
    assert first["livenessProbe"] == probe
    assert first["securityContext"] == {"runAsUser": 7}
    assert pod(deployment=overlay(securityContext={"fsGroup": 5}))["securityContext"] == {
        "fsGroup": 5
    }


def test_the_originals_zero_values_change_nothing() -> None:
    zero = {
        "metadata": {"creationTimestamp": None},
        "spec": {
            "selector": None,
            "strategy": {},
            "template": {
                "metadata": {"creationTimestamp": None},
                "spec": {"containers": [{"name": "", "resources": {}}]},
            },
        },
        "status": {},
    }
    assert children(deployment=zero) == children()


def test_an_empty_volume_source_is_a_value() -> None:
    volume = {"name": "scratch", "emptyDir": {}}
    assert volume in pod(deployment=overlay(volumes=[volume]))["volumes"]


def test_the_selector_and_the_replicas_are_not_the_users() -> None:
    made = children(deployment={"spec": {"replicas": 7, "selector": {"matchLabels": {"a": "b"}}}})
    assert made.deployment["spec"]["selector"] == {
        "matchLabels": {"created-by": "kubeless", "function": "hello"}
    }
    assert "replicas" not in made.deployment["spec"]
    assert made.replicas == 7
    assert children(replicas=3).replicas == 3


def test_other_fields_of_the_deployment_are_kept() -> None:
    spec = children(
        deployment={
            "metadata": {"annotations": {"note": "1"}, "labels": {"tier": "a"}},
            "spec": {"strategy": {"type": "Recreate"}, "minReadySeconds": 5},
        }
    ).deployment
    assert spec["metadata"]["annotations"]["note"] == "1"
    assert spec["metadata"]["labels"]["tier"] == "a"
    assert spec["spec"]["strategy"] == {"type": "Recreate"}
    assert spec["spec"]["minReadySeconds"] == 5


def test_labels_of_the_function_reach_its_pods_but_never_the_selector() -> None:
    made = children(labels={"team": "red", "function": "other"})
    labels = made.deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == {"team": "red", "created-by": "kubeless", "function": "hello"}
    assert made.service["spec"]["selector"] == {"created-by": "kubeless", "function": "hello"}


def test_a_selector_that_only_repeats_labels_is_ours() -> None:
    own = {"created-by": "kubeless", "function": "hello"}
    copied = {"selector": {**own, "team": "red"}}
    assert children(labels={"team": "red"}, service=copied).service["spec"]["selector"] == own
    foreign = {"selector": {"app": "blue-green"}}
    assert children(service=foreign).service["spec"]["selector"] == {"app": "blue-green"}


@pytest.mark.parametrize(
    ("ports", "service", "target"),
    [
        ([], 8080, 8080),
        ([{"port": 80}], 80, 80),
        ([{"port": 80, "targetPort": 9090}], 80, 9090),
        ([{"port": "80", "targetPort": "9090"}], 80, 9090),
        ([{"port": 0, "targetPort": 0}], 8080, 8080),
    ],
)
def test_ports(ports: list[Object], service: int, target: int) -> None:
    made = children(service={"ports": ports})
    (port,) = made.service["spec"]["ports"]
    assert (port["name"], port["port"]) == ("http-function-port", service)
    first = made.deployment["spec"]["template"]["spec"]["containers"][0]
    # By name: while a change of the number rolls out, each pod is reached at its own.
    assert first["ports"][0]["containerPort"] == target
    assert first["ports"][0]["name"] == port["targetPort"]
    assert {"name": "FUNC_PORT", "value": str(target)} in first["env"]
    assert made.url == f"http://hello.default.svc:{service}"


@pytest.mark.parametrize("port", [-1, 65536, "http", 1.5, True])
def test_ports_that_are_wrong(port: Any) -> None:
    said = refusal(service={"ports": [{"port": port}]})
    assert f"spec.service.ports[0].port: found {port!r}, expected a port number" in said


def test_an_own_image_mounts_no_source() -> None:
    made = children(image="registry/mine:1", function="", runtime="", handler="")
    spec = made.deployment["spec"]["template"]["spec"]
    assert (made.config_map, made.source_checksum) == (None, "")
    assert spec["containers"][0]["image"] == "registry/mine:1"
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"deps": "x", "runtime": "cobol"},
            "spec.deps: the runtime cobol installs no dependencies",
        ),
        (
            {"function-content-type": "base64+zip+deps", "function": "AAAA", "runtime": "cobol"},
            "spec.deps: the runtime cobol installs no dependencies",
        ),
    ],
)
def test_what_is_not_there_yet_is_said(spec: Object, said: str) -> None:
    assert said in refusal(**spec)


def test_the_stamp_changes_with_every_change() -> None:
    def stamp(**spec: Any) -> str:
        found: str = children(**spec).deployment["metadata"]["annotations"][
            "kubeless.io/applied-hash"
        ]
        return found

    assert stamp() == stamp()
    assert stamp() != stamp(env=[{"name": "A", "value": "1"}])
    assert stamp() != stamp(labels={"a": "b"})
    assert stamp() == stamp(replicas=5)


def init(**spec: Any) -> dict[str, Object]:
    return {entry["name"]: entry for entry in pod(**spec).get("initContainers", [])}


def values(entry: Object) -> dict[str, Any]:
    return {variable["name"]: variable.get("value") for variable in entry["env"]}


def test_a_base64_file_is_mounted_as_it_is() -> None:
    made = children(**{"function-content-type": "base64", "function": "ZGVm\nIGY6"})
    assert made.config_map is not None
    assert made.config_map["data"] == {"hello.py": "def f:"}
    assert made.source_checksum == checksum_of(b"def f:")
    assert "initContainers" not in made.deployment["spec"]["template"]["spec"]
    binary = children(**{"function-content-type": "base64", "function": "/w=="}).config_map
    assert binary is not None
    assert binary["binaryData"] == {"hello.py": "/w=="}


def test_base64_that_is_none_is_refused() -> None:
    said = refusal(**{"function-content-type": "base64", "function": "def handler()"})
    assert "spec.function: the content type says base64, and this is none" in said


@pytest.mark.parametrize(
    "url", ["hello.py", "ftp://example.com/f", "file:///etc/passwd", "https://a b"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    said = refusal(**{"function-content-type": "url", "function": url})
    assert "expected one http or https address" in said


def test_an_archive_is_prepared_into_a_volume_that_the_function_only_reads() -> None:
    spec = {"function-content-type": "base64+zip", "function": "UEsFBg=="}
    assert list(init(**spec)) == ["prepare"]
    prepare = init(**spec)["prepare"]
    env = values(prepare)
    assert env["KUBELESS_SOURCE_FILE"] == "/source/source"
    assert env["KUBELESS_SOURCE_ARCHIVE"] == "zip"
    assert env["KUBELESS_SOURCE_NAME"] == "hello.py"
    assert prepare["image"] == "registry/python3.13:1"
    assert prepare["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {mount["mountPath"]: mount for mount in container(**spec)["volumeMounts"]}
    assert mounts["/kubeless"] == {"name": "kubeless", "mountPath": "/kubeless", "readOnly": True}
    made = children(**spec)
    assert made.config_map is not None
    assert list(made.config_map["data"]) == ["source"]


def test_a_download_is_checked_where_it_arrives() -> None:
    checksum = "sha256:" + "0" * 64
    spec = {
        "function-content-type": "url",
        "function": "https://example.com/f.py",
        "checksum": checksum,
    }
    env = values(init(**spec)["prepare"])
    assert (env["KUBELESS_SOURCE_CARRIER"], env["KUBELESS_CHECKSUM"]) == ("url", checksum)
    assert "KUBELESS_ALLOW_LOCAL_URLS" not in env
    assert children(**spec).source_checksum == checksum


def test_dependencies_are_installed_with_the_installations_settings_and_the_functions_own() -> None:
    spec: Object = {
        "deps": "flask",
        "env": [{"name": "HTTPS_PROXY", "value": "function"}],
        "dependencies": {
            "env": [{"name": "PIP_INDEX_URL", "value": "own"}],
            "envFrom": [{"configMapRef": {"name": "own"}}],
        },
    }
    assert list(init(**spec)) == ["prepare", "install"]
    install = init(**spec)["install"]
    env = values(install)
    assert install["image"] == "registry/python3.13-install:1"
    assert install["command"] == ["/opt/kubeless/install"]
    assert env["PIP_INDEX_URL"] == "own"
    assert env["HTTPS_PROXY"] == "all"
    assert env["KUBELESS_DEPS_FILE"] == "/kubeless/requirements.txt"
    assert env["KUBELESS_CA_BUNDLE"] == "/etc/kubeless-ca/ca.crt"
    assert [list(entry) for entry in install["envFrom"]] == [["secretRef"], ["configMapRef"]]
    assert {"name": "HTTPS_PROXY", "value": "function"} in container(**spec)["env"]
    assert "envFrom" not in container(**spec)


def test_a_function_can_trust_other_authorities() -> None:
    def bundle(**spec: Any) -> Object:
        (volume,) = (entry for entry in pod(**spec)["volumes"] if entry["name"] == "ca-bundle")
        found: Object = volume["configMap"]
        return found

    assert bundle(deps="x") == {"name": "trusted", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    own = {"caBundle": {"configMapName": "mine", "key": "root.pem"}}
    assert bundle(deps="x", dependencies=own) == {
        "name": "mine",
        "items": [{"key": "root.pem", "path": "ca.crt"}],
    }


def test_resources_of_the_first_init_container_are_those_of_ours() -> None:
    resources = {"limits": {"memory": "1Gi"}}
    spec = {"deps": "x", "deployment": overlay(initContainers=[{"resources": resources}])}
    assert [entry["resources"] for entry in init(**spec).values()] == [resources, resources]


def test_init_containers_of_the_user_come_after_ours() -> None:
    theirs = {"name": "theirs", "image": "x"}
    assert list(init(deps="x", deployment=overlay(initContainers=[theirs]))) == [
        "prepare",
        "install",
        "theirs",
    ]


def test_dependencies_that_come_with_the_source() -> None:
    archive = {"function-content-type": "base64+zip+deps", "function": "UEsFBg=="}
    assert list(init(**archive)) == ["prepare", "install"]
    address = {"function-content-type": "text+deps", "deps": "https://example.com/requirements.txt"}
    assert values(init(**address)["prepare"])["KUBELESS_DEPS_CARRIER"] == "url"
    plain = values(init(deps="flask")["prepare"])
    assert plain["KUBELESS_DEPS_CARRIER"] == "file"


def test_a_function_with_a_schedule_has_a_trigger() -> None:
    assert children().trigger is None
    made = children(type="Scheduled", schedule="@hourly", labels={"team": "red"}).trigger
    assert made is not None
    assert made["spec"] == {"function-name": "hello", "schedule": "@hourly"}
    assert made["metadata"]["labels"] == {
        "created-by": "kubeless",
        "function": "hello",
        "team": "red",
    }


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"type": "Scheduled"}, "spec.schedule: found nothing, expected five fields"),
        ({"type": "Scheduled", "schedule": "never"}, "spec.schedule: found 'never'"),
        ({"schedule": "@hourly"}, "found '@hourly' although spec.type is HTTP"),
        ({"type": "PubSub"}, "spec.topic: found nothing, expected 1 to 249 letters"),
        ({"type": "PubSub", "topic": "a b"}, "spec.topic: found 'a b'"),
        ({"topic": "a"}, "spec.topic: found 'a' although spec.type is HTTP; write 'type: PubSub'"),
        ({"type": "PubSub", "topic": "a", "schedule": "@daily"}, "although spec.type is PubSub"),
        ({"type": "Cron"}, "spec.type: found 'Cron', expected HTTP, Scheduled or PubSub"),
    ],
)
def test_a_type_and_a_schedule_that_do_not_agree(spec: Object, told: str) -> None:
    assert told in refusal(**spec)
