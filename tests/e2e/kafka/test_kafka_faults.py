"""Topics and brokers that are not as they should be: each has a stated outcome, and /status names it."""

from __future__ import annotations

from pathlib import Path

from kubeless_kube.client import Client
from kubeless_kube.resources import SERVICES
from support.kafka_brokers import Brokers
from support.kafka_consumer import Consume, committed, group_of
from support.kafka_desk import Desk, Record, new_topic
from support.kafka_function import Function
from support.waiting import wait_for


def test_a_topic_that_is_made_later_is_read_from_its_start(
    desk: Desk, consume: Consume, function: Function
) -> None:
    topic = new_topic()
    consumer = consume(topic, startOffset="latest")
    problem = consumer.wait_for_problem("TopicNotFound")
    assert topic in problem["message"]
    assert consumer.status()["topicMissing"] is True
    desk.create(topic, 2)
    desk.send(topic, *(Record(b"early", f"k{n}".encode()) for n in range(10)))
    function.wait_for_calls(10, 60)
    wait_for(lambda: desk.lag(group_of(topic), topic) == 0, "all is committed", pause=0.2)
    assert consumer.function()["start"] == "earliest"
    consumer.wait_until_well()


def test_a_new_group_begins_at_the_newest_record(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    desk.send(topic, Record(b"old", b"k"))
    consumer = consume(topic, startOffset="latest")
    consumer.wait_for_assignment()
    assert consumer.function()["start"] == "latest"
    desk.send(topic, Record(b"new", b"k"))
    committed(desk, topic, 2)
    assert function.offsets() == [1]


def test_a_deleted_topic_is_named_and_read_from_its_start_when_it_is_made_again(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    desk.send(topic, *(Record(b"first life", b"k") for _ in range(5)))
    consumer = consume(topic)
    committed(desk, topic, 5)
    desk.delete(topic)
    consumer.wait_for_problem("TopicNotFound")
    function.reset()
    desk.create(topic)
    desk.send(topic, *(Record(b"second life", b"k") for _ in range(8)))
    committed(desk, topic, 8, 60)
    assert function.offsets() == list(range(8))
    consumer.wait_until_well()


def test_a_broker_that_is_down_at_the_start(
    client: Client, kafka: Brokers, desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    # The way to the broker is not there yet: a Service without a pod behind it.
    ports = [{"name": "client", "port": 9092}]
    metadata = {"name": f"late-{topic}", "namespace": kafka.namespace}
    late = {"selector": {"app": "nothing"}, "ports": ports}
    client.create(SERVICES, {"metadata": metadata, "spec": late})
    desk.send(topic, Record(b"waits", b"k"))
    consumer = consume(topic, bootstrapServers=f"{metadata['name']}.{kafka.namespace}:9092")
    consumer.wait_for_problem("BrokerUnreachable")
    assert consumer.status()["state"] == "Running"
    spec = {"spec": {"selector": {"app": None, **kafka.selector}}}
    client.patch(SERVICES, kafka.namespace, metadata["name"], spec)
    committed(desk, topic, 1, 60)
    assert function.offsets() == [0]
    consumer.wait_until_well()


def test_a_name_that_does_not_exist(consume: Consume, topic: str) -> None:
    consumer = consume(topic, bootstrapServers="no-such-broker.invalid:9092")
    problem = consumer.wait_for_problem("BrokerUnreachable")
    assert "no-such-broker.invalid" in problem["message"]


def test_an_unreadable_record_is_not_passed_over(
    kafka: Brokers, desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    # Each in a batch of its own, as far as the file goes.
    for word in (b"first", b"second-is-spoilt", b"third"):
        desk.send(topic, Record(word, b"k"))
    (segment,) = kafka.segments(topic)
    spoil(segment, b"second-is-spoilt", b"second-is-SPOILT")
    consumer = consume(topic)
    problem = consumer.wait_for_problem("RecordUnreadable")
    assert "1" in problem["message"]
    committed(desk, topic, 1)
    assert function.offsets() == [0]
    assert consumer.status()["state"] == "Running"
    spoil(segment, b"second-is-SPOILT", b"second-is-spoilt")
    committed(desk, topic, 3, 60)
    assert function.offsets() == [0, 1, 2]
    consumer.wait_until_well()


def spoil(segment: Path, before: bytes, after: bytes) -> None:
    """Change bytes on a broker's disk, in place."""
    content = segment.read_bytes()
    assert content.count(before) == 1
    with segment.open("r+b") as file:
        file.seek(content.index(before))
        file.write(after)
