"""The same objects written by a plain script: what the controller is measured against.

    python -m bench.controller.plain KUBECONFIG NAMESPACE COUNT CONNECTIONS

Prints the seconds that it took to write the children of COUNT Functions, and
with them their status, over CONNECTIONS connections at a time.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.controller.functions import name_of
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, SERVICES
from support.world import wanted

Object = dict[str, Any]
STATUS = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": kind,
            "status": "False",
            "reason": "Progressing",
            "message": "the Deployment is being rolled out",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        for kind in ("Accepted", "Available", "Ready")
    ],
}


def main() -> int:
    """Write everything; first the children, then the status."""
    kubeconfig, namespace, count, connections = sys.argv[1:]
    client = Client.from_kubeconfig(kubeconfig, connections=int(connections))
    functions = {
        item["metadata"]["name"]: item for item in client.list(FUNCTIONS, namespace)["items"]
    }
    everything = [wanted(functions[name_of(number)]) for number in range(int(count))]

    def write(children: Any) -> None:
        client.create(SERVICES, children.service)
        client.create(CONFIGMAPS, children.config_map)
        deployment = children.deployment
        client.create(DEPLOYMENTS, {**deployment, "spec": {**deployment["spec"], "replicas": 1}})

    def tell(number: int) -> None:
        body = {"status": STATUS}
        client.patch(FUNCTIONS, namespace, name_of(number), body, subresource="status")

    with ThreadPoolExecutor(int(connections)) as pool:
        began = time.monotonic()
        list(pool.map(write, everything))
        children = time.monotonic() - began
        list(pool.map(tell, range(int(count))))
        print(f"{children:.3f} {time.monotonic() - began:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
