"""One run of chaos: records are sent, consumed and disturbed; what became of them is the ledger's to say."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from chaos.noise import Noise
from chaos.verdict import Content, Place, Success, Verdict, judge, locate
from kubeless_kube.client import Client
from support import pod_programs
from support.kafka_brokers import Brokers
from support.kafka_consumer import Consumer, configuration, function_entry
from support.kafka_desk import Desk, request
from support.waiting import wait_for

HERE = Path(__file__).parent
BROKERS, PARTITIONS, KEYS, POISON = 3, 6, 64, 0.001
MAX_UNCOMMITTED = 200
#: Seconds from one kill of a function to the next.
FUNCTION_SECONDS = 4.0
#: How long the consumers may take for what is left when all is quiet again, in seconds.
SETTLING = 180.0


@dataclass
class Run:
    """``name`` is the topic's and that of all objects; ``program`` runs instead of the consumer.

    ``seconds`` is how long records are sent, and how long there is noise. A consumer is killed every ``consumer_seconds``:
    what it held waits for the end of its session, 10 s; more kills would only make a run of nothing but waiting. Of the
    calls the part ``slow`` takes ``slow_seconds``.
    """

    client: Client
    brokers: Brokers
    desk: Desk
    name: str
    records: int
    seconds: float
    seed: int
    program: str = ""
    kill_brokers: bool = True
    consumer_seconds: float = 20.0
    slow: float = 0.01
    slow_seconds: float = 0.3
    noise: Noise = field(init=False)
    consumer: Consumer = field(init=False)

    def __post_init__(self) -> None:
        self.noise = Noise(self.client, self.brokers.namespace, self.seed)
        namespace, bootstrap = self.brokers.namespace, self.brokers.bootstrap
        self.clerk = pod_programs.start(
            self.client,
            namespace,
            f"{self.name}-clerk",
            HERE / "clerk.py",
            env={"BOOTSTRAP": bootstrap},
        )
        self.function = pod_programs.start(
            self.client,
            namespace,
            f"{self.name}-function",
            HERE / "function.py",
            env={
                "CLERK": self.clerk.url,
                "SLOW": str(self.slow),
                "SLOW_SECONDS": str(self.slow_seconds),
            },
            replicas=2,
        )
        entry = function_entry("function", self.function.url, self.name)
        self.group = entry["group"]
        config = configuration(
            bootstrap,
            self.name,
            [entry],
            # Half of the poison is refused each time anew, and holds up its partition until it is given up.
            retry={"attempts": 8, "initialBackoff": 0.02, "maxBackoff": 1.0, "statuses": {}},
            maxUncommitted=MAX_UNCOMMITTED,
        )
        self.consumer = Consumer(
            self.client, namespace, f"{self.name}-consumer", config, program=self.program
        )

    def run(self) -> Verdict:
        """Do it all; raises AssertionError when it does not come to an end."""
        for topic in (self.name, f"{self.name}.dlq"):
            self.desk.create(topic, PARTITIONS, BROKERS, min_insync_replicas="2")
        self.clerk.wait()
        self.function.wait()
        self.consumer.start()
        wait_for(
            lambda: self.group in self.desk.groups(), "the consumer is in its group", 60, pause=0.5
        )
        self._send()
        self._disturb()
        try:
            acknowledged = wait_for(
                self._acknowledged, "all records are sent", self.seconds + 150, pause=0.5
            )
        finally:
            self.noise.stop()
        assert not self.noise.errors, self.noise.errors
        quiet = time.monotonic()
        try:
            wait_for(
                lambda: self.desk.lag(self.group, self.name) == 0,
                "the consumers are through",
                SETTLING,
                pause=0.5,
            )
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.consumer.statuses()}\n{self.consumer.log()}"
            ) from None
        verdict = judge(
            locate(acknowledged, self._topic()),
            self._ledger(),
            self._dead_letters(),
            disturbances=self.noise.disturbances,
            max_uncommitted=MAX_UNCOMMITTED,
        )
        print(
            f"{self.name} (seed {self.seed}): {verdict}; {self.noise.kills['consumer']} consumers and "
            f"{self.noise.kills['function']} functions killed, {len(self.noise.disturbances)} disturbances, "
            f"settled in {time.monotonic() - quiet:.1f} s"
        )
        return verdict

    def _send(self) -> None:
        flow = {
            "topic": self.name,
            "count": self.records,
            "keys": KEYS,
            "seconds": self.seconds,
            "poison": max(1, round(self.records * POISON)),
            "seed": self.seed,
        }
        status, _ = request(self.clerk.address, "POST", "/flow", json.dumps(flow))
        assert status == 200

    def _disturb(self) -> None:
        noise, seconds = self.noise, self.seconds
        noise.kill("function", self.function.pods, FUNCTION_SECONDS)
        noise.kill("consumer", self.consumer.pods, self.consumer_seconds)
        noise.do(seconds * 0.3, lambda: self.consumer.scale(3))
        noise.do(seconds * 0.7, lambda: self.consumer.scale(1))
        if self.kill_brokers:
            noise.do(seconds * 0.1, self._kill_brokers)

    def _kill_brokers(self) -> None:
        """One after the other: the next when the one before is in sync again, since two of three must be there."""
        for broker in range(BROKERS):
            self.noise.disturb()
            self.brokers.kill(broker)
            wait_for(self._in_sync, "all copies are the same again", 60, pause=0.2)

    def _in_sync(self) -> bool:
        return all(
            len(in_sync) == len(replicas)
            for partitions in self.desk.topics().values()
            for _, replicas, in_sync in partitions.values()
        )

    def _acknowledged(self) -> list[Content]:
        _, content = request(self.clerk.address, "GET", f"/flow?topic={self.name}")
        flow = json.loads(content)
        assert not flow["error"], flow["error"]
        return [Content(*fields) for fields in flow["acknowledged"]] if flow["done"] else []

    def _topic(self) -> list[tuple[Place, Content]]:
        """All that is in the topic."""
        return [
            ((record.partition or 0, record.offset), Content(**json.loads(record.value or b"")))
            for record in self.desk.read(self.name)
        ]

    def _ledger(self) -> list[Success]:
        _, content = request(self.clerk.address, "GET", "/ledger")
        return [Success(*fields) for fields in json.loads(content).get(self.name, [])]

    def _dead_letters(self) -> list[Place]:
        return [
            (
                int(record.header("kubeless-dlq-partition")),
                int(record.header("kubeless-dlq-offset")),
            )
            for record in self.desk.read(f"{self.name}.dlq")
        ]
