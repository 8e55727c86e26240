"""KafkaTriggers as tests write them, and their consumers where no kubelet runs any.

The pods are real objects whose status the test writes; what they would serve is
served by the test itself, each at a loopback address of its own.
"""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, PODS
from support.waiting import wait_for

Object = dict[str, Any]

PORT = 8080
# Those of one process, so that tests of several processes have each their own; none is used twice, since somebody may
# still ask it.
_NETWORK = f"127.{64 + os.getpid() // 256 % 64}.{os.getpid() % 256}"
_addresses = (f"{_NETWORK}.{number}" for number in range(1, 255))


def kafka_manifest(namespace: str, name: str = "orders", **spec: Any) -> Object:
    """A KafkaTrigger with the fields that the test is about."""
    return {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "KafkaTrigger",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "topic": "orders",
            "functionSelector": {"matchLabels": {"function": "hello"}},
            **spec,
        },
    }


def config_of(client: Client, namespace: str, name: str = "orders") -> Object:
    """The configuration that a trigger's consumers read."""
    found: Object = json.loads(
        client.get(CONFIGMAPS, namespace, f"{name}-kafka")["data"]["config.json"]
    )
    return found


class Consumer:
    """A pod of a trigger: what it answers is ``answer``, bytes or an object; ``requests`` counts.

    ``follow`` makes it go by the trigger's configuration of now, as one that has just read it; ``run`` gives it a pod.
    """

    def __init__(self, client: Client, namespace: str, trigger: str = "orders") -> None:
        self._client, self._namespace, self._trigger = client, namespace, trigger
        self.pod = ""
        self.answer: Any = {}
        self.requests = 0
        self.delay = threading.Event()
        self.delay.set()
        consumer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                consumer.requests += 1
                consumer.delay.wait(30)
                body = consumer.answer
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(200 if self.path == "/status" else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                """Silent."""

        self.address = next(_addresses)
        self._server = ThreadingHTTPServer((self.address, PORT), Handler)
        self._server.daemon_threads = True
        # The interval is how long an end takes.
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Serve no more; connections are refused."""
        self.delay.set()
        self._server.shutdown()
        self._server.server_close()

    def follow(
        self, partitions: int | None = 3, assigned: range | None = None, **more: Any
    ) -> None:
        """Say that all of the trigger's functions are read; ``more`` goes over the answer."""
        config = config_of(self._client, self._namespace, self._trigger)
        own = range(partitions or 0) if assigned is None else assigned
        self.answer = {
            "version": 1,
            "pod": self.pod,
            "configHash": config["hash"],
            "state": "Running",
            "problem": None,
            "topicMissing": False,
            "functions": [
                {
                    "name": function["name"],
                    "group": function["group"],
                    "partitions": partitions,
                    "start": "latest",
                    "assigned": [
                        {
                            "partition": number,
                            "committed": 1,
                            "highWatermark": 3,
                            "lag": 2,
                            "inFlight": 0,
                            "uncommitted": 0,
                            "paused": "",
                        }
                        for number in own
                    ],
                    "problem": None,
                    "lastError": None,
                }
                for function in config["functions"]
            ],
            **more,
        }

    def troubled(
        self, key: str, reason: str, message: str, time: str = "2026-01-01T00:00:00Z"
    ) -> None:
        """Have the first function say ``problem`` or ``lastError``."""
        said = {"reason": reason, "message": message, "time": time}
        self.answer["functions"][0][key] = said

    def run(self, *, ready: bool = True) -> None:
        """Take a pod that nobody has taken yet, and have it run, as the kubelet would write it."""

        def waiting() -> list[Object]:
            labels = f"kubeless.io/kafka-trigger={self._trigger}"
            found = self._client.list(PODS, self._namespace, labels=labels)["items"]
            return [
                pod
                for pod in found
                if pod["status"]["phase"] == "Pending"
                and not pod["metadata"].get("deletionTimestamp")
            ]

        self.pod = wait_for(waiting, f"{self._trigger} has a pod")[0]["metadata"]["name"]
        self.report(
            {
                "phase": "Running",
                "podIP": self.address,
                "podIPs": [{"ip": self.address}],
                "conditions": [
                    {"type": kind, "status": "True" if ready else "False"}
                    for kind in ("PodScheduled", "ContainersReady", "Ready")
                ],
            }
        )

    def report(self, status: Object) -> None:
        """Write the status of the pod, as the kubelet would."""
        self._client.patch(
            PODS, self._namespace, self.pod, {"status": status}, subresource="status"
        )
