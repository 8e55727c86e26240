"""What the chart of Kafka renders, and which values it refuses."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.helm import CHART, KAFKA, helm, one, refusal, template

Object = dict[str, Any]
SECURE = {"auth": {"enabled": True}, "tls": {"enabled": True}}


def rendered(values: Object | None = None) -> list[Object]:
    return template(values, chart=KAFKA)


def named(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name)
    return found


def properties(values: Object | None = None) -> dict[str, str]:
    text = named(rendered(values), "ConfigMap", "kafka-config")["data"]["server.properties"]
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.partition("=")[::2] for line in lines]
    assert len(dict(pairs)) == len(pairs), "a name stands twice"
    return dict(pairs)


def pod(values: Object | None = None) -> Object:
    found: Object = one(rendered(values), "StatefulSet")["spec"]["template"]["spec"]
    return found


def test_helm_lint_has_nothing_to_say() -> None:
    result = helm("lint", "--strict", KAFKA)
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_is_the_version_that_the_chart_of_kubeless_depends_on_and_that_the_image_has() -> None:
    chart = yaml.safe_load((KAFKA / "Chart.yaml").read_text())
    parent = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (dependency,) = parent["dependencies"]
    assert chart["version"] == dependency["version"] == parent["version"] == parent["appVersion"]
    assert (CHART / "charts/kafka").resolve() == KAFKA
    pom = (KAFKA.parents[1] / "images/kafka/pom.xml").read_text()
    assert f"<version>{chart['appVersion']}</version>" in pom


@pytest.mark.parametrize(("replicas", "quorum"), [(1, 1), (3, 2)])
def test_nodes_and_replicas_of_everything_that_is_kept(replicas: int, quorum: int) -> None:
    values = {"replicas": replicas}
    found = properties(values)
    voters = found["controller.quorum.voters"].split(",")
    assert voters == [f"{i}@kafka-{i}.kafka-brokers.kubeless.svc:9093" for i in range(replicas)]
    for name in (
        "default",
        "offsets.topic",
        "transaction.state.log",
        "share.coordinator.state.topic",
    ):
        assert found[f"{name}.replication.factor"] == str(replicas)
    for name in ("min.insync.replicas", "transaction.state.log.min.isr"):
        assert found[name] == str(quorum)
    assert found["auto.create.topics.enable"] == "false"
    # A trigger that is paused for months finds its place.
    assert int(found["offsets.retention.minutes"]) > 365 * 24 * 60
    spec = one(rendered(values), "StatefulSet")["spec"]
    assert spec["replicas"] == replicas
    assert spec["podManagementPolicy"] == "Parallel"
    budgets = [o for o in rendered(values) if o["kind"] == "PodDisruptionBudget"]
    assert [budget["spec"]["maxUnavailable"] for budget in budgets] == [1] * (replicas == 3)
    assert ("podAntiAffinity" in pod(values).get("affinity", {})) == (replicas == 3)


def test_nodes_find_each_other_before_they_are_ready_and_clients_find_ready_ones() -> None:
    objects = rendered()
    brokers = named(objects, "Service", "kafka-brokers")["spec"]
    assert brokers["publishNotReadyAddresses"] is True
    assert brokers["clusterIP"] == "None"
    assert one(objects, "StatefulSet")["spec"]["serviceName"] == "kafka-brokers"
    clients = named(objects, "Service", "kafka")["spec"]
    assert [port["port"] for port in clients["ports"]] == [9092]
    assert not clients.get("publishNotReadyAddresses")


def test_the_id_of_the_cluster_stays_and_differs_between_releases() -> None:
    def id_of(name: str, values: Object | None = None) -> str:
        spec = one(template(values, name, KAFKA), "StatefulSet")["spec"]["template"]["spec"]
        env = {entry["name"]: entry.get("value") for entry in spec["initContainers"][0]["env"]}
        return str(env["CLUSTER_ID"])

    assert id_of("a") == id_of("a", {"replicas": 3}) != id_of("b")
    assert len(base64.urlsafe_b64decode(id_of("a") + "==")) == 16
    assert id_of("a", {"clusterId": "MkU3OEVBNTcwNTJENDM2Qg"}) == "MkU3OEVBNTcwNTJENDM2Qg"


def test_all_pods_are_restricted() -> None:
    objects = rendered(SECURE)
    pods = [o["spec"]["template"]["spec"] for o in objects if o["kind"] in ("StatefulSet", "Job")]
    assert len(pods) == 3
    for spec in pods:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 1000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_only_the_job_that_makes_secrets_has_a_token_and_it_may_read_no_other() -> None:
    objects = rendered(SECURE)
    tokens = {
        o["metadata"]["name"]: o["spec"]["template"]["spec"]["automountServiceAccountToken"]
        for o in objects
        if o["kind"] in ("StatefulSet", "Job")
    }
    assert tokens == {"kafka": False, "kafka-secrets": True, "kafka-administrator": False}
    rules = one(objects, "Role")["rules"]
    ours = ["kafka-admin", "kafka-ca", "kafka-internal", "kafka-tls"]
    assert [(rule["verbs"], rule.get("resourceNames")) for rule in rules] == [
        (["create"], None),
        (["get"], ours),
        (["patch"], ["kafka-ca"]),
    ]


def test_what_hooks_need_is_there_before_and_gone_after() -> None:
    objects = rendered(SECURE)
    names = ("kafka-secrets", "kafka-administrator")
    hooks = [o for o in objects if o["metadata"]["name"] in names]
    assert len(hooks) == 7
    for hook in hooks:
        annotations = hook["metadata"]["annotations"]
        when = (
            "install,post-upgrade"
            if hook["metadata"]["name"].endswith("r")
            else "install,pre-upgrade"
        )
        assert annotations["helm.sh/hook"].endswith(when)
        assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
        assert (annotations["helm.sh/hook-weight"] == "-5") == (hook["kind"] == "Job")


def test_without_authentication_and_tls_no_hook_and_no_secret() -> None:
    assert {o["kind"] for o in rendered()} == {
        "ConfigMap", "NetworkPolicy", "Service", "StatefulSet",
    }  # fmt: skip
    assert "secret" not in json.dumps(pod()["volumes"])


def plan(values: Object) -> Object:
    found: Object = json.loads(
        named(rendered(values), "ConfigMap", "kafka-secrets")["data"]["plan.json"]
    )
    return found


def test_secrets_that_values_name_are_not_made() -> None:
    made = plan(SECURE)
    assert made["credentials"] == {"kafka-admin": "admin", "kafka-internal": "node"}
    assert made["certificate"]["make"] is True
    own = {
        "auth": {"enabled": True, "existingSecret": "mine"},
        "tls": {"enabled": True, "existingSecret": "cert"},
    }
    given = plan(own)
    assert given["credentials"] == {"kafka-internal": "node"}
    assert (given["certificate"]["secret"], given["certificate"]["make"]) == ("cert", False)
    mounted = {v["name"]: v["secret"]["secretName"] for v in pod(own)["volumes"] if "secret" in v}
    assert mounted == {"admin": "mine", "internal": "kafka-internal", "tls": "cert"}
    both = {"auth": {"enabled": True, "existingSecret": "mine", "internalSecret": "nodes"}}
    jobs = [o["metadata"]["name"] for o in rendered(both) if o["kind"] == "Job"]
    assert jobs == ["kafka-administrator"]


def test_the_certificate_is_for_all_names_that_are_told_to_clients() -> None:
    names = plan(SECURE)["certificate"]["names"]
    assert {"kafka", "kafka.kubeless", "kafka.kubeless.svc", "kafka-brokers.kubeless.svc"} <= {
        *names
    }
    assert "*.kafka-brokers.kubeless.svc" in names


@pytest.mark.parametrize(
    ("values", "protocol"),
    [
        ({}, "PLAINTEXT"),
        ({"auth": {"enabled": True}}, "SASL_PLAINTEXT"),
        ({"tls": {"enabled": True}}, "SSL"),
        (SECURE, "SASL_SSL"),
    ],
)
def test_every_listener_but_the_probes_own_is_protected(values: Object, protocol: str) -> None:
    found = properties({**values, "podListener": {"enabled": True}})
    protocols = dict(
        entry.split(":") for entry in found["listener.security.protocol.map"].split(",")
    )
    listeners = dict(entry.split("://") for entry in found["listeners"].split(","))
    assert protocols.keys() == listeners.keys()
    assert protocols.pop("PROBE") == "PLAINTEXT"
    assert listeners["PROBE"] == "127.0.0.1:9096"
    assert set(protocols.values()) == {protocol}
    mutual = [name for name, value in found.items() if name.endswith("ssl.client.auth")]
    assert len(mutual) == 2 * (protocol == "SSL")
    for name in protocols:
        mechanisms = found.get(f"listener.name.{name.lower()}.sasl.enabled.mechanisms")
        wanted = "SCRAM-SHA-512" if name in ("CLIENT", "POD") else "PLAIN"
        assert mechanisms == (wanted if "SASL" in protocol else None)


def test_no_password_and_no_key_is_in_what_is_rendered() -> None:
    found = properties(SECURE)
    for name, value in found.items():
        for secret in re.findall(r'(?:password|user_[^=]*)="([^"]*)"', value):
            assert secret.startswith("${dir:/etc/kafka/secrets/"), name
        if name.startswith(("ssl.keystore.key", "ssl.keystore.cert", "ssl.truststore.cert")):
            assert value.startswith("${dir:/etc/kafka/secrets/tls:")


def test_who_is_let_in() -> None:
    policy = one(rendered(SECURE), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["ingress"]]
    assert ports == [[9093, 9094], [9094], [9092]]
    broker = {
        "app.kubernetes.io/name": "kafka",
        "app.kubernetes.io/instance": "kubeless",
        "app.kubernetes.io/component": "broker",
    }
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": broker}}]
    assert policy["ingress"][2]["from"] == [
        {"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "kubeless"}}},
        {
            "namespaceSelector": {},
            "podSelector": {"matchLabels": {"kubeless.io/kafka-client": "true"}},
        },
    ]
    more = {"networkPolicy": {"extraFrom": [{"namespaceSelector": {}}]}}
    assert {"namespaceSelector": {}} in one(rendered(more), "NetworkPolicy")["spec"]["ingress"][1][
        "from"
    ]
    kinds = {o["kind"] for o in rendered({"networkPolicy": {"enabled": False}})}
    assert "NetworkPolicy" not in kinds


def test_persistence() -> None:
    values = {"persistence": {"size": "20Gi", "storageClassName": "fast"}}
    (claim,) = one(rendered(values), "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"
    (default,) = one(rendered(), "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert "storageClassName" not in default["spec"]
    spec = one(rendered({"persistence": {"enabled": False}}), "StatefulSet")["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "emptyDir": {}} in spec["template"]["spec"]["volumes"]


def test_the_jvm_gets_heap_and_options_and_no_shell_expands_the_jars() -> None:
    (container,) = pod({"heap": "2g", "jvmOptions": ["-XX:+UseG1GC"]})["containers"]
    assert container["command"] == ["java"]
    assert {"-Xms2g", "-Xmx2g", "-XX:+UseG1GC"} <= {*container["args"]}
    assert "-XX:SharedArchiveFile=/opt/kafka/kafka.jsa" in container["args"]
    assert container["args"][-4:] == [
        "-cp", "/opt/kafka/libs/*", "kafka.Kafka", "/run/kafka/server.properties",
    ]  # fmt: skip


def test_how_often_a_broker_is_asked() -> None:
    values = {"livenessProbe.periodSeconds": 60, "readinessProbe.periodSeconds": 30}
    for given, periods in (({}, (15, 5)), (values, (60, 30))):
        (container,) = one(template(given, "kafka", KAFKA), "StatefulSet")["spec"]["template"][
            "spec"
        ]["containers"]
        probes = (container["livenessProbe"], container["readinessProbe"])
        assert tuple(probe["periodSeconds"] for probe in probes) == periods


def test_configuration_of_ones_own_comes_first() -> None:
    found = properties(
        {"config": {"log.retention.hours": 1, "min.insync.replicas": 1}, "replicas": 3}
    )
    assert found["log.retention.hours"] == "1"
    assert found["min.insync.replicas"] == "1"


def test_a_change_of_the_configuration_restarts_the_nodes() -> None:
    def checksum(values: Object) -> str:
        template_ = one(rendered(values), "StatefulSet")["spec"]["template"]
        return str(template_["metadata"]["annotations"]["checksum/config"])

    assert checksum({}) == checksum({"podDisruptionBudget": {"enabled": False}})
    assert checksum({}) != checksum({"config": {"num.partitions": 3}})


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "localhost/kubeless/kafka:0.1.0"),
        (
            {"registry": "docker.io", "repository": "apache/kafka", "tag": "4.3.1"},
            "docker.io/apache/kafka:4.3.1",
        ),
        ({"digest": "sha256:" + "0" * 64}, "localhost/kubeless/kafka@sha256:" + "0" * 64),
    ],
)
def test_the_image(image: Object, reference: str) -> None:
    spec = pod({"image": image})
    images = {container["image"] for container in spec["initContainers"] + spec["containers"]}
    assert images == {reference}


def test_the_image_of_hooks_comes_from_the_same_registry_unless_told() -> None:
    def reference(values: Object) -> str:
        job = named(rendered({**SECURE, **values}), "Job", "kafka-secrets")
        return str(job["spec"]["template"]["spec"]["containers"][0]["image"])

    registry = {"image": {"registry": "registry.example.com/team"}}
    assert reference(registry) == "registry.example.com/team/kafka-trigger:0.1.0"
    own = {"hooks": {"image": {"registry": "r.example.com", "repository": "a/b", "tag": "1"}}}
    assert reference(own) == "r.example.com/a/b:1"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 2}, "replicas"),
        ({"heap": "lots"}, "heap"),
        ({"heap": 192}, "heap"),
        ({"jvmOptions": ["Xmx1g"]}, "jvmOptions"),
        ({"clusterId": "short"}, "clusterId"),
        ({"image": {"digest": "sha256:0"}}, "digest"),
        ({"persistence": {"size": "much"}}, "size"),
        ({"readinessProbe": {"periodSeconds": 0}}, "periodSeconds"),
        ({"livenessProbe": {"timeoutSeconds": 5}}, "timeoutSeconds"),
        ({"podListener": {"port": 80}}, "port"),
        ({"typo": 1}, "typo"),
        ({"config": {"listeners": "X://:1"}}, "config sets listeners"),
        ({"config": {"node.id": 7}}, "config sets node.id"),
        ({"podLabels": {"app.kubernetes.io/name": "x"}}, "podLabels must not set"),
        ({"podListener": {"enabled": True, "port": 9094}}, "podListener.port: found 9094"),
        ({"auth": {"existingSecret": "mine"}}, "auth.enabled is false"),
        ({"auth": {"internalSecret": "mine"}}, "auth.enabled is false"),
        ({"tls": {"existingSecret": "mine"}}, "tls.enabled is false"),
        ({"fullnameOverride": "Kafka"}, "fullnameOverride"),
    ],
)
def test_values_that_cannot_work_are_refused(values: Object, message: str) -> None:
    assert message in refusal(values, KAFKA)


def leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for key, below in value.items() for leaf in leaves(below, f"{path}.{key}")]
    return [path.lstrip(".")]


def test_every_value_is_documented_and_in_the_schema() -> None:
    values = yaml.safe_load((KAFKA / "values.yaml").read_text())
    readme = (KAFKA / "README.md").read_text()
    schema = json.loads((KAFKA / "values.schema.json").read_text())
    for leaf in leaves(values):
        parts = leaf.split(".")
        stems = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
        assert any(f"`{stem}`" in readme for stem in stems), f"README.md does not name {leaf}"
        part = schema
        for key in parts:
            if "properties" not in part:
                break
            assert key in part["properties"], f"values.schema.json has no {leaf}"
            part = part["properties"][key]


def test_a_package_has_the_dependency_in_it(tmp_path: Path) -> None:
    result = helm("package", CHART, "--destination", tmp_path)
    assert result.returncode == 0, result.stderr
    (package,) = tmp_path.iterdir()
    shown = helm("template", "x", package)
    assert "kind: StatefulSet" in shown.stdout, shown.stderr
