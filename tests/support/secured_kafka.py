"""A broker in a pod that asks for a password and shows a certificate, and what its clients need."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from kubeless_kube.client import Client
from kubeless_kube.resources import NAMESPACES
from support import kafka_desk, kafka_function
from support.kafka import secret
from support.kafka_brokers import Brokers, brokers_in
from support.kafka_desk import Desk
from support.kafka_function import Function

SECURITY = {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512"}


@dataclass(frozen=True)
class Secured:
    """``auth`` is the administrator's username and password, ``ca`` the authority in PEM."""

    brokers: Brokers
    desk: Desk
    function: Function
    auth: dict[str, str]
    ca: str


@contextmanager
def secured_kafka(environment: Mapping[str, str], client: Client) -> Iterator[Secured]:
    """One in a namespace of its own, with SCRAM and TLS, and a desk and a function beside it."""
    name = f"kafka-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
    try:
        options = {"auth.enabled": True, "tls.enabled": True}
        brokers = brokers_in(client, environment, name, replicas=1, **options)
        auth = secret(client, name, "kafka-admin")
        ca = secret(client, name, "kafka-ca")["ca.crt"]
        settings = {
            "bootstrap.servers": brokers.bootstrap,
            "security.protocol": SECURITY["protocol"],
            "sasl.mechanism": SECURITY["mechanism"],
            "sasl.username": auth["username"],
            "sasl.password": auth["password"],
            "ssl.ca.pem": ca,
        }
        desk = kafka_desk.start(client, name, settings)
        yield Secured(brokers, desk, kafka_function.start(client, name), auth, ca)
    finally:
        client.delete(NAMESPACES, None, name)
