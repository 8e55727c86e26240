"""Names, addresses and folders of one cluster, all derived from its number.

Instance 0 is the user's cluster. Another state folder
(`KUBELESS_CLUSTER_STATE`) is another instance and takes its number from
`KUBELESS_CLUSTER_INSTANCE` (1 when not given), so tests never touch the first.

An instance owns one /16, by default 10.(200 + number).0.0/16:
    x.y.0.0/24     nodes; .1 is the host, .2 the first node
    x.y.64.0/18    pods, a /24 for each node
    x.y.128.0/17   Services; .1 is `kubernetes`, .10 is DNS
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import ClusterError

LAST_INSTANCE = 49
MEMORY = "instance"
"""File in the state folder with the number and the network, as variables."""
RUN_FOLDER = Path("/run/kubeless-cluster")
"""What instances on this machine share; gone after a reboot, like what it describes."""


@dataclass(frozen=True)
class Instance:
    """One cluster: where its state is, and every name derived from its number."""

    number: int
    state: Path
    network: ipaddress.IPv4Network

    @property
    def name(self) -> str:
        """Name of the bridge, the firewall table and the cgroup root."""
        return f"kubeless{self.number}"

    @property
    def control_plane(self) -> Path:
        return self.state / "control-plane"

    @property
    def pki(self) -> Path:
        return self.control_plane / "pki"

    @property
    def logs(self) -> Path:
        return self.control_plane / "logs"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def node(self) -> Node:
        """The first node; it also runs the control plane."""
        return Node(self, 0)

    def _part(self, offset: int, prefix: int) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network((int(self.network.network_address) + offset, prefix))

    @property
    def nodes(self) -> ipaddress.IPv4Network:
        return self._part(0, 24)

    @property
    def pods(self) -> ipaddress.IPv4Network:
        return self._part(64 * 256, 18)

    @property
    def services(self) -> ipaddress.IPv4Network:
        return self._part(128 * 256, 17)

    @property
    def host_address(self) -> ipaddress.IPv4Address:
        return self.nodes[1]

    @property
    def api_service(self) -> ipaddress.IPv4Address:
        return self.services[1]

    @property
    def dns_service(self) -> ipaddress.IPv4Address:
        return self.services[10]

    @property
    def api_url(self) -> str:
        return f"https://{self.node.address}:6443"


@dataclass(frozen=True)
class Node:
    """One node of an instance; its state is apart from every other node's."""

    instance: Instance
    index: int

    @property
    def name(self) -> str:
        return f"node-{self.index + 1}"

    @property
    def state(self) -> Path:
        return self.instance.state / "nodes" / self.name

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def namespaces(self) -> Path:
        """Folder of the files that keep the node's namespaces alive."""
        return self.state / "namespaces"

    @property
    def address(self) -> ipaddress.IPv4Address:
        return self.instance.nodes[2 + self.index]

    @property
    def pods(self) -> ipaddress.IPv4Network:
        start = int(self.instance.pods.network_address) + 256 * self.index
        return ipaddress.IPv4Network((start, 24))

    @property
    def link(self) -> str:
        """The host's end of the cable to the node."""
        return f"{self.instance.name}n{self.index + 1}"

    @property
    def containerd_socket(self) -> Path:
        """containerd's socket as the host sees it."""
        return self.state / "run" / "containerd.sock"


def default_network(number: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"10.{200 + number}.0.0/16")


def parse_network(text: str) -> ipaddress.IPv4Network:
    """A private IPv4 /16; anything else is a ClusterError."""
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ClusterError(
            f"network {text!r}: {error}; expected a private IPv4 /16 such as 10.210.0.0/16"
        ) from error
    if network.prefixlen != 16 or not network.is_private:
        raise ClusterError(f"network {text}: expected a private IPv4 /16 such as 10.210.0.0/16")
    return network


def find_instance(environment: Mapping[str, str] = os.environ) -> Instance:
    """The instance that this user's environment means.

    `KUBELESS_CLUSTER_STATE`: its folder (default
    `${XDG_STATE_HOME:-~/.local/state}/kubeless-cluster`).
    `KUBELESS_CLUSTER_INSTANCE`: its number. `KUBELESS_CLUSTER_NETWORK`: its /16.
    Number and network of a cluster that was brought up are remembered in its
    folder; ClusterError when the environment now says otherwise.
    """
    home = Path(environment.get("HOME") or Path.home())
    base = environment.get("XDG_STATE_HOME") or str(home / ".local" / "state")
    given = environment.get("KUBELESS_CLUSTER_STATE", "")
    state = Path(given or f"{base}/kubeless-cluster")
    if not state.is_absolute():
        raise ClusterError(f"KUBELESS_CLUSTER_STATE is {given!r}: expected an absolute path")
    state = Path(os.path.realpath(state))
    known = _remembered(state)
    for variable, value in known.items():
        if environment.get(variable, value) not in ("", value):
            raise ClusterError(
                f"{variable} is {environment[variable]}, but the cluster in {state} was made with "
                f"{value}: run `cluster down` without {variable} first"
            )
    environment = {**environment, **known}
    number = environment.get("KUBELESS_CLUSTER_INSTANCE") or ("1" if given else "0")
    if not number.isdecimal() or int(number) > LAST_INSTANCE:
        raise ClusterError(
            f"KUBELESS_CLUSTER_INSTANCE is {number!r}: expected a number from 0 to {LAST_INSTANCE}"
        )
    network = environment.get("KUBELESS_CLUSTER_NETWORK", "")
    return Instance(
        int(number), state, parse_network(network) if network else default_network(int(number))
    )


def _remembered(state: Path) -> dict[str, str]:
    try:
        lines = (state / MEMORY).read_text().splitlines()
    except OSError:
        return {}
    return {name: value for name, _, value in (line.partition("=") for line in lines) if value}


def remember(instance: Instance) -> None:
    """Make later commands mean the same cluster without the variables."""
    text = (
        f"KUBELESS_CLUSTER_INSTANCE={instance.number}\n"
        f"KUBELESS_CLUSTER_NETWORK={instance.network}\n"
    )
    (instance.state / MEMORY).write_text(text)


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where built programs are kept: outside every clone."""
    home = Path(environment.get("HOME") or Path.home())
    base = environment.get("XDG_CACHE_HOME") or str(home / ".cache")
    return Path(base) / "kubeless" / "cluster"
