"""What the controller is told of Kafka: the chart's own, another one, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.helm import refusal, template

Object = dict[str, Any]


def told(values: Object | None = None) -> Object:
    (config,) = (
        entry["data"]["config.json"]
        for entry in template(values)
        if entry["kind"] == "ConfigMap" and entry["metadata"]["name"] == "kubeless-controller"
    )
    found: Object = json.loads(config)["kafka"]
    return found


def test_the_charts_own_kafka() -> None:
    assert told({"images": {"tags": {"kafka-trigger": "9"}}}) == {
        "bootstrapServers": "kafka.kubeless:9092",
        "tls": False,
        "mechanism": "",
        "authSecret": "",
        "tlsSecret": "",
        "adminAuthSecret": "",
        "adminTlsSecret": "",
        "namespace": "kubeless",
        "consumerImage": "localhost/kubeless/kafka-trigger:9",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


def test_the_charts_own_kafka_with_authentication_and_tls() -> None:
    found = told({"kafka": {"auth": {"enabled": True}, "tls": {"enabled": True}}})
    assert found["mechanism"] == "SCRAM-SHA-512"
    assert found["tls"] is True
    # A trigger has a user of its own.
    assert found["authSecret"] == ""
    assert found["adminAuthSecret"] == "kafka-admin"
    assert found["tlsSecret"] == found["adminTlsSecret"] == "kafka-ca"
    other = {
        "fullnameOverride": "broker",
        "auth": {"enabled": True, "existingSecret": "mine"},
        "tls": {"enabled": True},
        "client": {"tlsSecret": "public"},
    }
    found = told({"kafka": other})
    assert found["bootstrapServers"] == "broker.kubeless:9092"
    assert found["adminAuthSecret"] == "mine"
    assert (found["tlsSecret"], found["adminTlsSecret"]) == ("public", "broker-ca")


def test_another_kafka() -> None:
    client = {
        "tls": True,
        "mechanism": "PLAIN",
        "authSecret": "a",
        "tlsSecret": "b",
        "adminAuthSecret": "c",
        "adminTlsSecret": "d",
    }
    values = {"enabled": False, "bootstrapServers": "k1.example.com:9093,k2.example.com:9093"}
    found = told({"kafka": {**values, "client": client}})
    assert found["bootstrapServers"] == values["bootstrapServers"]
    assert {key: found[key] for key in client} == client
    assert "StatefulSet" not in {entry["kind"] for entry in template({"kafka": values})}


def test_no_kafka() -> None:
    assert told({"kafka": {"enabled": False}})["bootstrapServers"] == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bootstrapServers": "k:9092"}, "kafka.enabled is true and installs another Kafka"),
        ({"client": {"tls": True}}, "are for a Kafka of your own"),
        ({"client": {"mechanism": "PLAIN"}}, "are for a Kafka of your own"),
        ({"client": {"authSecret": "x"}}, "set kafka.auth.enabled"),
        ({"client": {"tlsSecret": "x"}}, "set kafka.tls.enabled"),
        ({"enabled": False, "client": {"adminAuthSecret": "x"}}, "set kafka.client.mechanism"),
        ({"enabled": False, "client": {"adminTlsSecret": "x"}}, "set kafka.client.tls"),
        ({"enabled": False, "bootstrapServers": "k"}, "bootstrapServers"),
        ({"enabled": False, "client": {"mechanism": "GSSAPI"}}, "mechanism"),
        ({"enabled": False, "client": {"passwd": "x"}}, "passwd"),
        ({"replicas": 2}, "replicas"),
        ({"replcas": 3}, "replcas"),
    ],
)
def test_values_that_cannot_work_are_refused(values: Object, message: str) -> None:
    assert message in refusal({"kafka": values})
