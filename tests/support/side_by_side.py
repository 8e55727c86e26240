"""Which tests run one after the other in a whole run, and which beside them.

What needs a cluster or a control plane runs in one process: two of them at once would wait for each other's work, and
some tests say how soon something is done. The other process has the rest, which is through long before.
"""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

CLUSTER = ("tests/e2e/", "tests/chaos/", "tests/cluster/")
# The conformance suite over an image, not over a server that is a process of this host: `[python3.13-...]`.
IMAGE = re.compile(r"tests/conformance/.*\[[a-z]+[0-9]")
CONTROL_PLANE = "tests/apiserver/"
# Of those with a control plane: it measures, so it waits until the machine does nothing else.
MEASURED = CONTROL_PLANE + "test_chaos.py"


def group(node: str) -> str:
    """What runs in one process with the test of this id: what needs Kubernetes, or its file."""
    if node.startswith((CONTROL_PLANE, *CLUSTER)) or IMAGE.match(node):
        return "kubernetes"
    return node.partition("::")[0]


def rank(node: str) -> int:
    """The longest group goes first, in it what has no nodes, which others disturb least."""
    if group(node) != "kubernetes":
        return 2
    return 0 if node.startswith(CONTROL_PLANE) and not node.startswith(MEASURED) else 1


class Groups(LoadScopeScheduling):
    """Each group in one process, in the order in which tests were collected.

    xdist's own marks of groups are written where pytest 9.2 does not read them any more.
    """

    def __init__(self, config: Any, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
