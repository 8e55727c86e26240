"""Nothing is lost, whatever is killed: real brokers, consumers and functions in pods.

KUBELESS_CHAOS_RECORDS says how many records (20,000; `make chaos`: 200,000), KUBELESS_CHAOS_SEED repeats a run's
choices.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.run import BROKERS, Run
from kubeless_kube.client import Client
from kubeless_kube.resources import NAMESPACES
from support import kafka_desk
from support.kafka_brokers import Brokers, brokers_in
from support.kafka_desk import Desk

RECORDS = int(os.environ.get("KUBELESS_CHAOS_RECORDS", "20000"))
RATE = 250.0
SECONDS = max(60.0, RECORDS / RATE)
SEED = int(os.environ.get("KUBELESS_CHAOS_SEED", "0")) or random.randrange(1, 10**6)
BROKEN = Path(__file__).with_name("broken.py")


@pytest.fixture(scope="module")
def client(cluster: dict[str, str]) -> Client:
    return Client.from_kubeconfig(cluster["KUBECONFIG"])


@pytest.fixture(scope="module")
def brokers(cluster: dict[str, str], client: Client) -> Iterator[Brokers]:
    """Three brokers that soon miss a dead consumer, in a namespace that goes with all that is in it."""
    name = f"chaos-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    client.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
    try:
        yield brokers_in(client, cluster, name, replicas=BROKERS)
    finally:
        client.delete(NAMESPACES, None, name)


@pytest.fixture(scope="module")
def desk(client: Client, brokers: Brokers) -> Desk:
    return kafka_desk.start(client, brokers.namespace, {"bootstrap.servers": brokers.bootstrap})


@pytest.mark.timeout(SECONDS + 400)
def test_no_record_is_lost(client: Client, brokers: Brokers, desk: Desk) -> None:
    run = Run(client, brokers, desk, "orders", RECORDS, SECONDS, SEED)
    verdict = run.run()
    assert verdict.violations == []
    assert verdict.records == RECORDS
    # Only what is ready is killed: on a slow machine that is less often. A run without kills would prove nothing.
    assert run.noise.kills["consumer"] >= SECONDS / 60
    assert run.noise.kills["function"] >= SECONDS / 20
    run.consumer.leave()


@pytest.mark.timeout(300)
def test_commits_in_a_wrong_order_are_caught(client: Client, brokers: Brokers, desk: Desk) -> None:
    run = Run(
        client,
        brokers,
        desk,
        "broken",
        6000,
        30.0,
        SEED,
        program=BROKEN.read_text(),
        kill_brokers=False,
        # Many records are open at any time, and for longer than a commit takes to come.
        consumer_seconds=12.0,
        slow=0.05,
        slow_seconds=2.0,
    )
    verdict = run.run()
    assert verdict.lost, str(verdict)
    run.consumer.leave()
