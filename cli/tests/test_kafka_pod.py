"""The pod that talks to Kafka, and which Kafka a command means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubeless_api.kafka_connection import Connection as Kafka
from kubeless_cli.connection import Connection
from kubeless_cli.errors import Failure
from kubeless_cli.kafka_pod import Target, pod, request_connection
from kubeless_cli.kafka_start import refused, until_running
from kubeless_cli.kafka_target import dead_letters, installed
from kubeless_kube.errors import Forbidden

Object = dict[str, Any]

PLAIN = Kafka("kafka:9092", "PLAINTEXT", "", "", "")
SASL = Kafka("kafka:9092", "SASL_SSL", "SCRAM-SHA-512", "creds", "ca")


def test_the_pod_is_hardened_and_has_no_token() -> None:
    spec = pod(Target("kubeless", PLAIN, "image:1"))["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (container["stdin"], container["stdinOnce"]) == (True, True)
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["volumes"] == container["volumeMounts"] == []


def test_credentials_are_mounted_and_never_sent() -> None:
    target = Target("kubeless", SASL, "image:1", "Always", [{"name": "pull"}])
    made = pod(target)
    assert made["metadata"]["labels"]["kubeless.io/kafka-client"] == "true"
    assert {v["secret"]["secretName"] for v in made["spec"]["volumes"]} == {"creds", "ca"}
    assert {m["mountPath"] for m in made["spec"]["containers"][0]["volumeMounts"]} == {
        *("/etc/kubeless/kafka-auth", "/etc/kubeless/kafka-tls")
    }
    assert made["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert made["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert request_connection(target) == {
        "bootstrapServers": "kafka:9092",
        "protocol": "SASL_SSL",
        "mechanism": "SCRAM-SHA-512",
    }


class Cluster:
    """A client that has a few objects."""

    namespace = "default"

    def __init__(self, **objects: Any) -> None:
        self.objects = objects

    def list(self, resource: Any, namespace: str | None = None, **options: Any) -> Object:
        found = self.objects.get(resource.plural, [])
        if isinstance(found, Exception):
            raise found
        return {"items": found}

    def get(self, resource: Any, namespace: str, name: str) -> Object:
        found: Object = self.objects[resource.plural][0]
        return found


def connected(**objects: Any) -> Connection:
    return Connection(Cluster(**objects), "kubeless")  # type: ignore[arg-type]


def configured(**kafka: Any) -> Connection:
    config = {"runtimes": [], **({"kafka": kafka} if kafka else {})}
    return connected(
        configmaps=[
            {
                "metadata": {
                    "name": "kubeless-config",
                    "namespace": "kubeless",
                    "labels": {"app.kubernetes.io/name": "kubeless"},
                },
                "data": {"config.json": json.dumps(config)},
            }
        ]
    )


def test_the_installation_says_which_kafka_and_image() -> None:
    target, settings = installed(
        configured(
            bootstrapServers="kafka.kubeless:9092",
            mechanism="SCRAM-SHA-512",
            tls=True,
            adminAuthSecret="kafka-admin",
            adminTlsSecret="kafka-ca",
            consumerImage="reg/kafka-trigger:1",
            imagePullPolicy="Always",
        )
    )
    assert target == Target(
        "kubeless",
        Kafka("kafka.kubeless:9092", "SASL_SSL", "SCRAM-SHA-512", "kafka-admin", "kafka-ca"),
        "reg/kafka-trigger:1",
        "Always",
    )
    assert settings["tls"] is True


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        (configured(), "has no settings for Kafka"),
        (configured(bootstrapServers="", consumerImage="i"), "^This installation has no Kafka"),
        (
            configured(bootstrapServers="k:1", mechanism="PLAIN", consumerImage="i"),
            "adminAuthSecret",
        ),
        (connected(), "no configuration of a Kubeless controller in namespace 'kubeless'"),
        (
            connected(configmaps=Forbidden(403, "Forbidden", 'User "u" cannot list')),
            "The right that is needed is 'list' on configmaps",
        ),
    ],
)
def test_what_an_installation_lacks_is_said(connection: Connection, says: str) -> None:
    with pytest.raises(Failure, match=says):
        installed(connection)


TRIGGER: Object = {
    "metadata": {"name": "orders", "namespace": "kubeless", "uid": "u1", "generation": 1},
    "status": {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Accepted",
                "status": "False",
                "reason": "NoKafka",
                "message": "there is no Kafka",
                "observedGeneration": 1,
            }
        ],
    },
}


def consumers(**config: Any) -> Connection:
    mounts = {"config": "trigger", "auth": "kafka-auth"}
    deployment = {
        "metadata": {"ownerReferences": [{"uid": "u1"}]},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "image": "reg/kafka-trigger:1",
                            "volumeMounts": [
                                {"name": name, "mountPath": f"/etc/kubeless/{path}"}
                                for name, path in mounts.items()
                            ],
                        }
                    ],
                    "volumes": [
                        {"name": "config", "configMap": {"name": "orders-kafka"}},
                        {"name": "auth", "secret": {"secretName": "creds"}},
                    ],
                }
            }
        },
    }
    return connected(
        deployments=[{"metadata": {}}, deployment],
        configmaps=[{"data": {"config.json": json.dumps(config)}}],
    )


def test_a_triggers_dead_letters_are_where_its_consumers_were_told() -> None:
    letters = dead_letters(
        consumers(
            bootstrapServers="other:9092",
            security={"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN"},
            deadLetterTopic="orders.dlq",
        ),
        TRIGGER,
    )
    assert letters.target.connection == Kafka("other:9092", "SASL_PLAINTEXT", "PLAIN", "creds", "")
    assert letters.target.image == "reg/kafka-trigger:1"
    assert letters.arguments == {
        "topic": "orders.dlq",
        "group": "kubeless_orders_redrive_orders.dlq",
    }


def test_a_trigger_without_consumers_says_why() -> None:
    with pytest.raises(
        Failure, match=r"no consumers yet, so it has no dead letters\. NoKafka: there"
    ):
        dead_letters(connected(), TRIGGER)
    with pytest.raises(Failure, match="were told can't be read"):
        dead_letters(consumers(), TRIGGER)


def test_what_is_not_allowed_names_the_rights_and_the_role() -> None:
    message = 'pods is forbidden: User "eve" cannot create resource "pods"'
    said = refused(message, "kubeless").message
    assert "User 'eve' cannot create" in said
    assert "pods/attach" in said
    assert "kubeless-kafka-admin" in said
    quota = refused("exceeded quota: small", "kubeless").message
    assert quota.startswith("The cluster refused the pod")
    assert "kubeless-kafka-admin" not in quota


def status(**fields: Any) -> Connection:
    seen = {
        "metadata": {"name": "p", "namespace": "kubeless"},
        "spec": {},
        "status": fields.pop("status"),
    }
    return connected(pods=[seen], **fields)


def waiting(reason: str, message: str) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [{"name": "admin", "state": state}]}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (waiting("ImagePullBackOff", "no such image"), "ImagePullBackOff: no such image"),
        (waiting("CreateContainerConfigError", "bad user"), "bad user"),
        ({"phase": "Failed", "reason": "Evicted", "message": "out of disk"}, "out of disk"),
        (
            {
                "phase": "Failed",
                "containerStatuses": [
                    {"name": "admin", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}
                ],
            },
            "exit code 3: Error",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "no nodes",
                    }
                ],
            },
            "no nodes",
        ),
    ],
)
def test_a_pod_that_does_not_start_says_why(found: Object, says: str) -> None:
    with pytest.raises(Failure, match=f"did not start: .*{says}"):
        until_running(status(status=found), {"metadata": {"name": "p", "namespace": "kubeless"}})


def test_a_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubeless_cli.kafka_start.MOUNT_SECONDS", -1.0)
    events = [{"message": 'MountVolume.SetUp failed for volume "auth": secret "creds" not found'}]
    connection = status(status=waiting("ContainerCreating", ""), events=events)
    with pytest.raises(Failure, match="no Secret 'creds' in namespace 'kubeless'"):
        until_running(connection, {"metadata": {"name": "p", "namespace": "kubeless"}})


def test_a_pod_that_takes_too_long_says_in_what_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubeless_cli.kafka_start.MOUNT_SECONDS", -1.0)
    monkeypatch.setattr("kubeless_cli.kafka_start.START_SECONDS", -1.0)
    forbidden = Forbidden(403, "Forbidden", "no")
    connection = status(status=waiting("ContainerCreating", ""), events=forbidden)
    with pytest.raises(Failure, match="still admin is waiting: ContainerCreating"):
        until_running(connection, {"metadata": {"name": "p", "namespace": "kubeless"}})
