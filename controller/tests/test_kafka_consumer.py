"""What a KafkaTrigger owns."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubeless_api.errors import SpecError
from kubeless_api.kafka_trigger import parse
from kubeless_api.runtimes import RuntimeTable
from kubeless_controller.desired.consumer_config import Callee
from kubeless_controller.desired.kafka_consumer import Consumer, build
from kubeless_controller.settings import Kafka, Settings

Object = dict[str, Any]

KAFKA = Kafka(
    connection={
        "bootstrapServers": "kafka.kubeless:9092",
        "mechanism": "SCRAM-SHA-512",
        "tls": True,
    },
    consumer_image="i",
    resources={"limits": {"memory": "256Mi"}},
)
SETTINGS = Settings(runtimes=RuntimeTable([]), kafka=KAFKA, image_pull_secrets=("pull",))
HELLO = Callee("hello", "http://hello.n.svc:8080", 180.0)
OTHER = Callee("other", "http://other.n.svc:8080", 5.0)


def built(
    *callees: Callee, settings: Settings = SETTINGS, missing: bool = False, **spec: Any
) -> Consumer:
    trigger = {
        "metadata": {"name": "orders", "namespace": "n", "uid": "u"},
        "spec": {
            "topic": "orders",
            "functionSelector": {"matchLabels": {"team": "a"}},
            "auth": {"secretRef": {"name": "me"}},
            **spec,
        },
    }
    parsed = parse(trigger, settings.kafka.connection)
    return build(parsed, callees, settings, topic_missing=missing)


def config(consumer: Consumer) -> Object:
    found: Object = json.loads(consumer.config_map["data"]["config.json"])
    return found


def test_functions_are_in_the_configuration_only() -> None:
    none, one, two = built(), built(HELLO), built(OTHER, HELLO)
    assert none.deployment == one.deployment == two.deployment
    assert [function["name"] for function in config(two)["functions"]] == ["hello", "other"]
    hashes = {one.config_hash for one in (none, one, two)}
    assert len(hashes) == 3
    assert config(two)["hash"] == two.config_hash
    # The order in which they are found says nothing.
    assert built(HELLO, OTHER).config_hash == two.config_hash
    assert one.config_map["metadata"]["name"] == two.config_map["metadata"]["name"]


def test_a_topic_that_was_missing() -> None:
    assert config(built())["startOffset"] == "latest"
    assert config(built(missing=True))["startOffset"] == "earliest"


def test_secrets_and_resources() -> None:
    pod = built(tls={"secretRef": {"name": "ca"}}).deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["auth"] == "/etc/kubeless/kafka-auth"
    assert mounts["tls"] == "/etc/kubeless/kafka-tls"
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["auth"]["secret"] == {"secretName": "me", "optional": True}
    assert volumes["tls"]["secret"] == {"secretName": "ca", "optional": True}
    assert container["resources"] == {"limits": {"memory": "256Mi"}}
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    # Only the name of the user is asked for, and nothing of a password.
    references = [entry["valueFrom"] for entry in container["env"] if "valueFrom" in entry]
    assert {"secretKeyRef": {"name": "me", "key": "username"}} in references
    assert "password" not in json.dumps(built().deployment)
    own = built(resources={"limits": {"memory": "1Gi"}}).deployment["spec"]["template"]["spec"]
    assert own["containers"][0]["resources"] == {"limits": {"memory": "1Gi"}}


def test_an_open_kafka_needs_no_secret() -> None:
    kafka = replace(KAFKA, connection={"bootstrapServers": "kafka.kubeless:9092"})
    consumer = built(settings=replace(SETTINGS, kafka=kafka), auth=None)
    pod = consumer.deployment["spec"]["template"]["spec"]
    assert {volume["name"] for volume in pod["volumes"]} == {"config", "tmp"}
    assert config(consumer)["security"] == {"protocol": "PLAINTEXT", "mechanism": ""}


def test_an_installation_without_the_image() -> None:
    with pytest.raises(SpecError) as caught:
        built(settings=replace(SETTINGS, kafka=replace(KAFKA, consumer_image="")))
    assert caught.value.reason == "NoKafka"
    assert "kafka.consumerImage" in caught.value.message
