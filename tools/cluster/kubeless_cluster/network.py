"""Bridge, cables, routes and firewall rules of one instance on the host.

    host: bridge kubeless<n> (x.y.0.1) --cable-- eth0 (x.y.0.2) in the node's namespace
Pods and Services are routed to the node, so the host reaches both. Inside, the
Service range is routed to the cable again: an address that kube-proxy has not
programmed dies there instead of leaving by the default route.
On the host there is one nftables table of the instance's own (masquerading),
and two marked FORWARD rules only where the host's policy drops (as Docker's).
kube-proxy's and the pods' chains are all inside the node's namespace.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
from pathlib import Path
from typing import Any

from . import command, namespaces, packages
from .errors import ClusterError
from .instance import Instance, Node

LINKS = Path("/sys/class/net")


def _ip(*words: object) -> None:
    command.run([packages.program("ip"), *map(str, words)])


def _ip_json(*words: str) -> list[dict[str, Any]]:
    text = command.output([packages.program("ip"), "-json", *words])
    found = json.loads(text or "[]")
    return [entry for entry in found if isinstance(entry, dict)]


def overlaps(
    network: ipaddress.IPv4Network, routes: list[dict[str, Any]], own_devices: set[str]
) -> list[str]:
    """Routes (as of `ip -json route show table all`) of others that meet `network`, in words."""
    found = []
    for route in routes:
        try:
            target = ipaddress.IPv4Network(str(route.get("dst")))
        except ValueError:
            continue  # `default`
        if target.prefixlen == 0 or route.get("dev") in own_devices:
            continue
        if target.overlaps(network):
            found.append(f"{target} on {route.get('dev', route.get('type', 'no device'))}")
    return sorted(set(found))


def forward_policy(iptables_save: str) -> str:
    """The FORWARD policy in the filter table that `iptables-save` printed; ACCEPT when absent."""
    for line in iptables_save.splitlines():
        if line.startswith(":FORWARD "):
            return line.split()[1]
    return "ACCEPT"


def marked_rules(iptables_save: str, mark: str) -> list[list[str]]:
    """Rules whose comment is `mark`, each as the words after `-A`."""
    rules = []
    for line in iptables_save.splitlines():
        words = shlex.split(line)
        marked = words[:1] == ["-A"] and "--comment" in words
        if marked and words[words.index("--comment") + 1] == mark:
            rules.append(words[1:])
    return rules


def _alias(name: str) -> str | None:
    """The alias of a link, or None when there is no such link."""
    try:
        return (LINKS / name / "ifalias").read_text().strip()
    except OSError:
        return None


def _mark(instance: Instance) -> str:
    return f"kubeless-cluster {instance.state}"[:255]


def is_ours(instance: Instance) -> bool:
    """Whether the instance's bridge is there and was made for this state folder."""
    return _alias(instance.name) == _mark(instance)


def check_owner(instance: Instance) -> None:
    """ClusterError when there is a bridge of this name that is not ours."""
    alias = _alias(instance.name)
    if alias and alias != _mark(instance):
        owner = alias.removeprefix("kubeless-cluster ")
        raise ClusterError(
            f"interface {instance.name} belongs to {owner}, not to {instance.state}: take that "
            "cluster down, or choose another number with KUBELESS_CLUSTER_INSTANCE"
        )


def check_free(instance: Instance) -> None:
    """ClusterError when the addresses are in use on the host."""
    routes = _ip_json("-4", "route", "show", "table", "all")
    taken = overlaps(instance.network, routes, {instance.name})
    if taken:
        raise ClusterError(
            f"the cluster's network {instance.network} meets what the host already routes: "
            f"{', '.join(taken)}; choose another private /16 with KUBELESS_CLUSTER_NETWORK"
        )


def default_mtu() -> int:
    for route in _ip_json("-4", "route", "show", "default"):
        try:
            return int((LINKS / str(route.get("dev")) / "mtu").read_text())
        except OSError:
            continue
    return 1500


def _has_table(instance: Instance) -> bool:
    nft = packages.program("nft")
    return command.run([nft, "list", "table", "ip", instance.name], check=False).returncode == 0


def _saved_filter() -> str:
    # Unlike `iptables -S` this does not bring the table into being.
    return command.output([packages.program("iptables-save"), "-t", "filter"])


def whole(instance: Instance) -> bool:
    """Whether everything `create` makes on the host is there."""
    return is_ours(instance) and _alias(instance.node.link) is not None and _has_table(instance)


def create(instance: Instance) -> None:
    """Make the bridge, the cable to the (existing) namespace of the node, routes and rules."""
    node = instance.node
    mtu = default_mtu()
    _ip("link", "add", instance.name, "mtu", mtu, "type", "bridge")
    _ip("link", "set", instance.name, "alias", _mark(instance))
    _ip("addr", "add", f"{instance.host_address}/{instance.nodes.prefixlen}", "dev", instance.name)
    _ip("link", "set", instance.name, "up")
    _connect(node, mtu)
    for target in (instance.pods, instance.services):
        _ip("route", "add", target, "via", node.address, "dev", instance.name)
    outside = f"ip saddr {instance.network} ip daddr != {instance.network}"
    rules = f"""
table ip {instance.name} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    {outside} oifname != "{instance.name}" masquerade
  }}
}}
"""
    command.run([packages.program("nft"), "-f", "-"], stdin=rules.encode())
    open_forward(instance.name)


def open_forward(bridge: str) -> None:
    """Let the bridge's traffic through where the host's policy drops, by two marked rules."""
    if forward_policy(_saved_filter()) != "ACCEPT":
        for side in ("-i", "-o"):
            command.run(
                [packages.program("iptables"), "-I", "FORWARD", side, bridge,
                 "-m", "comment", "--comment", bridge, "-j", "ACCEPT"]
            )  # fmt: skip


def _connect(node: Node, mtu: int) -> None:
    instance = node.instance
    inside = namespaces.enter(node, network_only=True)
    net = node.namespaces / "net"
    _ip("link", "add", node.link, "mtu", mtu, "type", "veth",
        "peer", "name", "eth0", "mtu", mtu, "netns", net)  # fmt: skip
    _ip("link", "set", node.link, "master", instance.name, "up")
    ip = packages.program("ip")
    address = f"{node.address}/{instance.nodes.prefixlen}"
    for words in (
        ("link", "set", "lo", "up"),
        ("addr", "add", address, "dev", "eth0"),
        ("link", "set", "eth0", "up"),
        ("route", "add", "default", "via", str(instance.host_address)),
        ("route", "add", str(instance.services), "dev", "eth0", "src", str(node.address)),
    ):
        command.run([*inside, ip, *words])
    if not Path("/proc/sys/net/bridge").exists():
        command.run([packages.program("modprobe"), "br_netfilter"], check=False)
    # Between pods of one bridge, Service traffic must meet the firewall on its way back.
    settings = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")
    script = "; ".join(f"test ! -e /proc/sys/{s} || echo 1 >/proc/sys/{s}" for s in settings)
    command.run([*inside, "sh", "-c", script])


def remove(instance: Instance) -> list[str]:
    """Remove what `create` made, however much of it is there; what was removed, in words."""
    done = []
    check_owner(instance)
    for link in sorted(LINKS.glob(f"{instance.name}n*")):
        try:
            _ip("link", "delete", link.name)
        except ClusterError:
            # The kernel takes one end of a pair away some time after the other's namespace is gone.
            if link.exists():
                raise
            continue
        done.append(f"interface {link.name}")
    if _alias(instance.name) is not None:
        routes = _ip_json("-4", "route", "show", "dev", instance.name)
        _ip("link", "delete", instance.name)
        done.append(f"bridge {instance.name}")
        done += [f"route {route['dst']}" for route in routes]
    if packages.find_program("nft") and _has_table(instance):
        command.run([packages.program("nft"), "delete", "table", "ip", instance.name])
        done.append(f"firewall table {instance.name}")
    if packages.find_program("iptables-save"):
        done += close_forward(instance.name)
    return done


def close_forward(bridge: str) -> list[str]:
    """Remove what `open_forward` made; what was removed, in words."""
    rules = marked_rules(_saved_filter(), bridge)
    for rule in rules:
        command.run([packages.program("iptables"), "-D", *rule])
    return [f"firewall rule {' '.join(rule)}" for rule in rules]
