"""The plan of a whole run: what stays together, who takes it, and in which order.

* Tests of one group run in one process, in the order in which they were collected, so that they share its fixtures. A
  group is a file, unless ``GROUPS`` says otherwise.
* Two of the processes run the tests with a control plane, each with its own. All of them run tests in the local
  cluster, which they share; each test borrows a namespace there. What needs neither fills the gaps.
* Long groups start first. Those of ``LAST`` start when all others have ended, one after the other: they measure time, or
  change what all others share.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any

from xdist.scheduler import LoadScopeScheduling

CONTROL_PLANES = 2
"""How many processes run tests with a control plane of their own."""


class Kind(IntEnum):
    """What the tests of a group need, in the order in which groups are taken."""

    CONTROL_PLANE = 0
    CLUSTER = 1
    PLAIN = 2
    LAST = 3


# Longer than a file, by the start of a test's id: they share brokers or the gateway. The longest first.
GROUPS = {
    "tests/e2e/kafka/": "tests/e2e/kafka",
    "tests/chaos/test_chaos.py": "tests/chaos",
    "tests/e2e/test_http_trigger.py": "gateway",
    "tests/e2e/test_gateway.py": "gateway",
    "tests/e2e/test_demo.py": "gateway",
}
# Groups that take minutes, the longest first; others are taken in the order of their names.
LONG = (
    "tests/e2e/kafka",
    "tests/e2e/test_kafka_cli.py",
    "tests/e2e/test_kafka_chart.py",
    "tests/e2e/test_sources.py",
    "gateway",
    "tests/chaos",
    "tests/cluster/test_cluster.py",
    "tests/e2e/test_cli.py",
    "tests/e2e/test_function.py",
    "tests/e2e/test_installation.py",
    "tests/e2e/test_dependencies.py",
    "tests/e2e/test_cronjob_trigger.py",
)
# What runs alone, in this order.
LAST = ("tests/apiserver/test_chaos.py", "tests/e2e/test_whole_cluster.py")
CONTROL_PLANE = "tests/apiserver/"
CLUSTER = ("tests/e2e/", "tests/chaos/test_chaos.py", "tests/cluster/")
# The conformance suite over an image, not over a server that is a process of this host: `[python3.13-...]`.
IMAGE = re.compile(r"tests/conformance/.*\[(?P<language>[a-z]+)[0-9]")


def group(node: str) -> str:
    """The name of the group of the test with this id."""
    if image := IMAGE.match(node):
        return f"conformance of {image['language']}"
    for start, name in GROUPS.items():
        if node.startswith(start):
            return name
    return node.partition("::")[0]


def kind(node: str) -> Kind:
    """What the test of this id, and so its group, needs."""
    if node.startswith(LAST):
        return Kind.LAST
    if node.startswith(CONTROL_PLANE):
        return Kind.CONTROL_PLANE
    if node.startswith(CLUSTER) or IMAGE.match(node):
        return Kind.CLUSTER
    return Kind.PLAIN


def rank(node: str) -> tuple[int, int]:
    """Where the test of this id stands in a run of one process."""
    return kind(node), next((at for at, start in enumerate(LAST) if node.startswith(start)), 0)


class Groups(LoadScopeScheduling):
    """Groups as work units of pytest-xdist, handed out by the plan above.

    xdist's own marks of groups are written where pytest 9.2 does not read them any more.
    """

    def __init__(self, config: Any, log: Any) -> None:
        super().__init__(config, log)
        # Many tests take no longer than few: the order is the plan's.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)

    def remove_node(self, node: Any) -> str | None:
        """Give what a process that is gone has left to others; the test that was its end, if any, is not run again."""
        units = self.assigned_work.pop(node)
        left = [test for unit in units.values() for test, done in unit.items() if not done]
        crashed = left[0] if left else None
        if crashed:
            units[group(crashed)][crashed] = True
        self.workqueue.update(
            {scope: unit for scope, unit in units.items() if not all(unit.values())}
        )
        # The last one may have been waiting for this.
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: Any) -> None:
        if node.shutting_down or self._pending_of(self.assigned_work[node]) > 2:
            return
        if self._next_for(node):
            self._assign_work_unit(node)
        elif not self.workqueue or node is not self.nodes[0]:
            node.shutdown()

    def _assign_work_unit(self, node: Any) -> None:
        scope = self._next_for(node)
        if scope:
            self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    def _next_for(self, node: Any) -> str:
        """The group that a process takes next; '' while there is none for it."""
        kinds = {scope: kind(next(iter(unit))) for scope, unit in self.workqueue.items()}
        places = {name: place for place, name in enumerate(LONG)}
        allowed = {Kind.CLUSTER, Kind.PLAIN}
        if self.nodes.index(node) < CONTROL_PLANES:
            allowed.add(Kind.CONTROL_PLANE)
        if self.nodes == [node]:
            allowed = set(Kind)
        found = [scope for scope in self.workqueue if kinds[scope] in allowed]
        return min(
            found,
            key=lambda scope: (kinds[scope], places.get(scope, len(LONG))),
            default="",
        )
