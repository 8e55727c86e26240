"""What the consumer of a KafkaTrigger can do, on this machine, with a broker in the local cluster.

    throughput   records for each second of processor time, one call for each and in batches of 100, beside a plain
                 loop of the same libraries that sends the same and guarantees nothing
    latency      from sending to the function, at 500 records a second
    memory       of an idle consumer

BENCH_RECORDS sets how many (40,000 one by one, ten times as many in batches). The broker and the function have a core of
their own where there are two; a second of processor time counts the consumer's alone.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.kafka.processes import Function, Rate, consumer, end, memory, plain, rate
from kubeless_kube.client import Client
from kubeless_kube.resources import NAMESPACES
from support.control_plane import ROOT
from support.kafka import kafka_up
from support.local_cluster import local_environment

COUNT = int(os.environ.get("BENCH_RECORDS", "40000"))
PARTITIONS, KEYS, BATCH = 4, 64, 100
LATENCY_RATE, LATENCY_SECONDS = 500, 20
WARM_RECORDS = 500
IDLE_SECONDS = 15
REPORT = ROOT / "build/bench-kafka.md"
VALUE = (
    b'{"order": 4711, "customer": "c-0815", "items": [{"sku": "A-1", "count": 2}], "total": 49.9}'
)

Cuts = tuple[float, float]


def main() -> int:
    """Measure, print the table and store it."""
    environment = local_environment()
    client = Client.from_kubeconfig(environment["KUBECONFIG"])
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    client.create(NAMESPACES, {"metadata": {"name": namespace, "labels": labels}})
    try:
        with kafka_up(environment, namespace) as broker, tempfile.TemporaryDirectory() as folder:
            text = "\n".join([*measure(Path(folder), broker.host_bootstrap), ""])
    finally:
        client.delete(NAMESPACES, None, namespace)
    print(text)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    return 0


def measure(folder: Path, bootstrap: str) -> list[str]:
    """The lines of the report."""
    function = Function(folder)
    try:
        rows = []
        for name, batch, count, target in (
            ("one call for each", 0, COUNT, 2_000),
            (f"batches of {BATCH}", BATCH, 10 * COUNT, 20_000),
        ):
            say(name)
            topic = f"rate-{batch}"
            fill(bootstrap, topic, count)
            bare = throughput(folder, bootstrap, topic, function, count, batch, ours=False)
            ours = throughput(folder, bootstrap, topic, function, count, batch, ours=True)
            ratio = ours.core / bare.core
            rows += [
                f"| {name}: a plain loop, a second of processor time | {bare.core:,.0f} | |",
                f"| {name}: the consumer, a second of processor time | {ours.core:,.0f} | {target:,} |",
                f"| {name}: ratio | {ratio:.2f} | 0.6 |",
                f"| {name}: the consumer, a second | {ours.wall:,.0f} | |",
            ]
        say("latency")
        broker, whole = latency(folder, bootstrap, function)
        at = f"at {LATENCY_RATE}/s"
        rows += [
            f"| from sending to the function {at}, p50 | {whole[0]:.1f} ms | 10 ms |",
            f"| from sending to the function {at}, p99 | {whole[1]:.1f} ms | |",
            f"| from sending to the broker's acknowledgement {at}, p50 | {broker[0]:.1f} ms | |",
            f"| from sending to the broker's acknowledgement {at}, p99 | {broker[1]:.1f} ms | |",
        ]
        say("memory")
        resident, proportional = idle(folder, bootstrap, function)
        rows.append(
            f"| an idle consumer, resident (proportional) | {resident:.0f} MiB ({proportional:.0f}) | 60 MiB |"
        )
    finally:
        function.process.stop()
    head = (
        f"Measured {time.strftime('%Y-%m-%d')}: records of {len(VALUE)} bytes over {KEYS} keys and "
        f"{PARTITIONS} partitions, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}."
    )
    return [head, "", "| what | seen | target |", "|---|---|---|", *rows]


def throughput(
    folder: Path,
    bootstrap: str,
    topic: str,
    function: Function,
    count: int,
    batch: int,
    *,
    ours: bool,
) -> Rate:
    """How fast the consumer, or the plain loop, is through a topic."""
    function.reset()
    if ours:
        wanted = {"size": batch, "wait": 0.05} if batch else None
        process = consumer(folder, bootstrap, topic, function.url, batch=wanted)
    else:
        process = plain(folder, bootstrap, topic, function.url, batch)
    try:
        return rate(process, function, count)
    finally:
        end([process])


def latency(folder: Path, bootstrap: str, function: Function) -> tuple[Cuts, Cuts]:
    """p50 and p99 in milliseconds, until the broker has a record and until the function has it."""
    topic = "latency"
    create(bootstrap, topic)
    function.reset()
    process = consumer(folder, bootstrap, topic, function.url)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    try:
        paced(producer, topic, WARM_RECORDS)
        while function.ask() < WARM_RECORDS:
            time.sleep(0.1)
        function.reset()
        acknowledged = paced(producer, topic, LATENCY_RATE * LATENCY_SECONDS)
        while function.ask() < LATENCY_RATE * LATENCY_SECONDS:
            time.sleep(0.1)
    finally:
        end([process])
    return cuts(acknowledged), cuts(function.latencies)


def cuts(seconds: list[float]) -> Cuts:
    """p50 and p99 in milliseconds."""
    found = statistics.quantiles(seconds, n=100)
    return found[49] * 1000, found[98] * 1000


def idle(folder: Path, bootstrap: str, function: Function) -> tuple[float, float]:
    """Resident and proportional memory in MiB of a consumer that waits for records."""
    topic = "idle"
    create(bootstrap, topic)
    process = consumer(folder, bootstrap, topic, function.url)
    try:
        time.sleep(IDLE_SECONDS)
        assert process.running(), process.tail()
        return memory(process)
    finally:
        end([process])


def create(bootstrap: str, topic: str) -> None:
    """Make a topic."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(20)


def fill(bootstrap: str, topic: str, count: int) -> None:
    """Make a topic and write its records."""
    create(bootstrap, topic)
    producer = Producer({"bootstrap.servers": bootstrap, "queue.buffering.max.messages": count})
    for number in range(count):
        producer.produce(topic, VALUE, f"key-{number % KEYS}")
    assert producer.flush(60) == 0, "the broker does not take the records"


def paced(producer: Producer, topic: str, count: int) -> list[float]:
    """Send records, each the time at which it was sent, at an even pace; returns the seconds until each was acknowledged."""
    acknowledged: list[float] = []
    began = time.monotonic()
    for number in range(count):
        sent = time.time()

        def delivered(error: KafkaError | None, _: Message, sent: float = sent) -> None:
            assert error is None, error
            acknowledged.append(time.time() - sent)

        producer.produce(topic, f"{sent:.6f}", f"key-{number % KEYS}", on_delivery=delivered)
        producer.poll(0)
        time.sleep(max(0.0, began + number / LATENCY_RATE - time.monotonic()))
    assert producer.flush(20) == 0, "the broker does not take the records"
    return acknowledged


def say(what: str) -> None:
    """Tell whoever waits."""
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
