"""Consumers that come and go, functions that come and go, and what is done by whom."""

from __future__ import annotations

import threading
from collections import Counter

from kubeless_kube.client import Client
from kubeless_kube.resources import PODS
from support import kafka_function
from support.kafka_brokers import Brokers
from support.kafka_consumer import Consume, Consumer, committed, function_entry, group_of
from support.kafka_desk import Desk, Record, new_topic
from support.kafka_function import Function
from support.waiting import wait_for

#: The consumer with the shortest interval between polls that a broker and librdkafka allow for.
IMPATIENT = """
import runpy
import confluent_kafka

class Consumer(confluent_kafka.Consumer):
    def __init__(self, settings, *arguments, **options):
        settings = {**settings, "max.poll.interval.ms": 6000}
        if settings.get("group.protocol", "classic") == "classic":
            settings["session.timeout.ms"] = 6000
        super().__init__(settings, *arguments, **options)

confluent_kafka.Consumer = Consumer
runpy.run_module("kubeless_kafka", run_name="__main__", alter_sys=True)
"""


def test_a_handler_longer_than_the_interval_between_polls_moves_no_partition(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"event": "/0/0", "seconds": 12})
    desk.send(topic, Record(b"long", b"k"), Record(b"next", b"k"))
    consumer = consume(topic, program=IMPATIENT)
    function.wait_for_calls(1)
    consumer.wait_for_assignment()

    def ended() -> bool:
        (place,) = consumer.function()["assigned"]
        running = function.calls()[0].ended is None
        assert place["inFlight"] == 1 or not running
        return not running

    wait_for(ended, "the long call has ended", pause=0.5)
    committed(desk, topic, 2)
    assert function.offsets() == [0, 1]


def test_consumers_from_one_to_three_to_one_do_nothing_twice(
    desk: Desk, consume: Consume, function: Function
) -> None:
    topic = new_topic()
    desk.create(topic, 6)
    function.rules({"seconds": 0.05})
    consumer = consume(topic, maxInFlight=8)
    stop = threading.Event()
    sent: list[tuple[int, int]] = []

    def send() -> None:
        number = 0
        while not stop.is_set():
            keys = (f"k{number + n}".encode() for n in range(20))
            sent.extend(desk.send(topic, *(Record(b"x", key) for key in keys)))
            number += 20
            stop.wait(0.2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for replicas in (1, 3, 1):
            consumer.scale(replicas)
            wait_for(
                lambda wanted=replicas: len(consumer.statuses()) == wanted,
                f"{replicas} consumers answer",
                90,
                pause=0.2,
            )
            consumer.wait_for_assignment(seconds=90)
            wait_for(
                lambda wanted=replicas: shares(consumer) == [6 // wanted] * wanted,
                f"each of {replicas} has its share",
                60,
                pause=0.2,
            )
    finally:
        stop.set()
        sender.join()
    wait_for(lambda: desk.lag(group_of(topic), topic) == 0, "all is committed", 60, pause=0.2)
    times = Counter(call.event for call in function.calls())
    assert times.keys() == {f"{topic}/{partition}/{offset}" for partition, offset in sent}
    # Consumers that leave in peace hand over after what they have begun is done.
    assert [event for event, count in times.items() if count > 1] == []


def shares(consumer: Consumer) -> list[int]:
    """How many partitions each pod has."""
    return [len(status["functions"][0]["assigned"]) for status in consumer.statuses()]


def test_an_end_commits_what_is_done_and_waits_for_what_runs(
    client: Client, kafka: Brokers, desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    function.rules({"seconds": 3})
    desk.send(topic, *(Record(b"x", f"k{n}".encode()) for n in range(5)))
    consumer = consume(topic)
    function.wait_for_calls(5)
    (pod,) = consumer.pods()
    client.delete(PODS, kafka.namespace, pod["metadata"]["name"])
    wait_for(
        lambda: pod["metadata"]["name"] not in [one["metadata"]["name"] for one in consumer.pods()],
        "another pod takes over",
    )
    desk.send(topic, Record(b"later", b"k0"))
    committed(desk, topic, 6, 60)
    assert sorted(function.offsets()) == list(range(6))


def test_functions_come_and_go_and_their_records_wait(
    client: Client, kafka: Brokers, desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    other = kafka_function.start(client, kafka.namespace, "other")
    consumer = consume(topic)
    (pod,) = consumer.pods() or wait_for(consumer.pods, "a pod")
    first = consumer.config["functions"][0]
    second = function_entry("other", other.url, topic)
    desk.send(topic, Record(b"one", b"k"))
    committed(desk, topic, 1)

    consumer.configure(functions=[first, second])
    other.wait_for_calls(1)
    wait_for(lambda: desk.committed(group_of(topic, "other"), topic).get(0) == 1, "its own commit")

    consumer.configure(functions=[first])
    desk.send(topic, *(Record(b"waits", b"k") for _ in range(5)))
    committed(desk, topic, 6)
    assert other.offsets() == [0]
    assert desk.committed(group_of(topic, "other"), topic).get(0) == 1

    consumer.configure(functions=[first, second])
    other.wait_for_calls(6)
    assert other.offsets() == list(range(6))
    assert function.offsets() == list(range(6))
    assert [one["metadata"]["name"] for one in consumer.pods()] == [pod["metadata"]["name"]]


def test_a_pause_and_its_end(desk: Desk, topic: str, consume: Consume, function: Function) -> None:
    consumer = consume(topic)
    desk.send(topic, Record(b"one", b"k"))
    committed(desk, topic, 1)
    consumer.configure(paused=True)
    wait_for(lambda: consumer.status().get("state") == "Paused", "it is paused")
    desk.send(topic, Record(b"two", b"k"), Record(b"three", b"k"))

    def waiting() -> bool:
        (place,) = consumer.function().get("assigned") or [{"lag": 0}]
        return place["lag"] == 2

    wait_for(waiting, "the consumer knows of the two")
    assert function.offsets() == [0]
    consumer.configure(paused=False)
    committed(desk, topic, 3)
    assert function.offsets() == [0, 1, 2]


def test_the_topic_may_change_without_a_new_pod(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    consumer = consume(topic)
    desk.send(topic, Record(b"one", b"k"))
    committed(desk, topic, 1)
    (pod,) = consumer.pods()
    other = new_topic()
    desk.create(other)
    desk.send(other, Record(b"of the other", b"k"))
    entry = function_entry("function", function.url, other)
    consumer.configure(topic=other, functions=[entry], deadLetterTopic=f"{other}.dlq")
    committed(desk, other, 1)
    assert [call.event for call in function.calls()] == [f"{topic}/0/0", f"{other}/0/0"]
    assert [one["metadata"]["name"] for one in consumer.pods()] == [pod["metadata"]["name"]]


def test_more_consumers_than_partitions_are_no_fault(
    desk: Desk, topic: str, consume: Consume, function: Function
) -> None:
    consumer = consume(topic, replicas=2)
    wait_for(lambda: len(consumer.statuses()) == 2, "two consumers answer", 60)
    consumer.wait_for_assignment()
    desk.send(topic, Record(b"one", b"k"))
    committed(desk, topic, 1)
    assert function.offsets() == [0]
