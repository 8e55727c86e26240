"""Which tests run in one process of a whole run, and which beside them.

Most tests wait for pods or a controller most of their time: two processes take little more than the longer one's.
"""

from __future__ import annotations

import re
from typing import Any

from xdist.scheduler import LoadScopeScheduling

# One installation in one cluster serves all of these, and some take it down: never two at once.
CLUSTER = ("tests/e2e/", "tests/chaos/", "tests/cluster/")
# The conformance suite over an image, not over a server that is a process of this host: `[python3.13-...]`.
IMAGE = re.compile(r"tests/conformance/.*\[[a-z]+[0-9]")
CONTROL_PLANE = "tests/apiserver/"


def group(node: str) -> str:
    """What the test of this id must have to itself: the cluster, a control plane without nodes, or its file."""
    if node.startswith(CLUSTER) or IMAGE.match(node):
        return "cluster"
    if node.startswith(CONTROL_PLANE):
        return "control plane"
    return node.partition("::")[0]


def rank(node: str) -> int:
    """The longest go first."""
    return {"cluster": 0, "control plane": 1}.get(group(node), 2)


class Groups(LoadScopeScheduling):
    """Each group in one process, in the order in which tests were collected."""

    def __init__(self, config: Any, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
