"""A broker that asks for a password and shows a certificate, and consumers that have the wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubeless_kube.client import Client
from support.certificates import issue
from support.kafka_consumer import (
    AUTH,
    TLS,
    Consumer,
    committed,
    configuration,
    function_entry,
)
from support.kafka_desk import Record, new_topic
from support.secured_kafka import SECURITY, Secured

WRONG = "wr0ng-for-this-broker"


Join = Callable[..., tuple[Consumer, str]]


@pytest.fixture
def join(client: Client, secured: Secured) -> Iterator[Join]:
    """Start a consumer with these Secrets on a topic with one record; the consumer and the topic."""
    started: list[Consumer] = []
    secured.function.reset()

    def start(auth: dict[str, str], tls: dict[str, str]) -> tuple[Consumer, str]:
        topic = new_topic()
        secured.desk.create(topic)
        secured.desk.send(topic, Record(b"one", b"k"))
        entry = function_entry("function", secured.function.url, topic)
        config = configuration(secured.brokers.bootstrap, topic, [entry], security=SECURITY)
        name = f"consumer-{topic}"
        secrets = {AUTH: auth, TLS: tls}
        consumer = Consumer(client, secured.brokers.namespace, name, config, secrets)
        started.append(consumer)
        consumer.start()
        return consumer, topic

    yield start
    for consumer in started:
        consumer.leave()


def test_with_password_and_authority_records_come(secured: Secured, join: Join) -> None:
    _, topic = join(secured.auth, {"ca.crt": secured.ca})
    committed(secured.desk, topic, 1, 60)
    assert len(secured.function.calls()) == 1


def test_a_wrong_password_is_named_and_its_correction_taken_up(
    secured: Secured, join: Join
) -> None:
    consumer, topic = join({**secured.auth, "password": WRONG}, {"ca.crt": secured.ca})
    consumer.wait_for_problem("AuthenticationFailed")
    (pod,) = consumer.pods()
    said = consumer.log() + str(consumer.status())
    assert WRONG not in said
    consumer.write_secret(AUTH, secured.auth)
    committed(secured.desk, topic, 1, 90)
    assert secured.auth["password"] not in consumer.log()
    assert [one["metadata"]["name"] for one in consumer.pods()] == [pod["metadata"]["name"]]
    consumer.wait_until_well()


def test_a_wrong_authority_is_named_and_its_correction_taken_up(
    secured: Secured, join: Join, tmp_path: Path
) -> None:
    wrong = issue(tmp_path, "kafka")["ca.crt"]
    consumer, topic = join(secured.auth, {"ca.crt": wrong})
    consumer.wait_for_problem("TLSFailed")
    consumer.write_secret(TLS, {"ca.crt": secured.ca})
    committed(secured.desk, topic, 1, 90)
    consumer.wait_until_well()


def test_no_encryption_where_the_broker_wants_it(secured: Secured, join: Join) -> None:
    consumer, _ = join(secured.auth, {"ca.crt": secured.ca})
    plain = {"protocol": "SASL_PLAINTEXT", "mechanism": SECURITY["mechanism"]}
    consumer.configure(security=plain)
    problem = consumer.wait_for_problem("BrokerUnreachable")
    assert problem["message"]
