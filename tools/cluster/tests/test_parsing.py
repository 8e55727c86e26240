"""What the tool reads of the system, from text."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from kubeless_cluster import binaries, cgroups, golang, mounts, network, nodeparts
from kubeless_cluster.errors import ClusterError

HYBRID = """\
30 22 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate
32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
33 30 0:29 / /sys/fs/cgroup/pids rw shared:12 - cgroup cgroup rw,pids
34 30 0:29 / /sys/fs/cgroup/pids2 rw shared:12 - cgroup cgroup rw,pids
"""
UNIFIED = "30 22 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_mount_points_with_spaces_are_unescaped() -> None:
    [mount] = mounts.parse(r"1 2 0:1 / /a\040b rw - tmpfs none rw")
    assert mount.point == Path("/a b")


def test_the_cgroup_version_is_told_as_kubelet_tells_it() -> None:
    assert not cgroups.is_unified(mounts.parse(HYBRID))
    assert cgroups.is_unified(mounts.parse(UNIFIED))


def test_processes_are_tracked_in_one_hierarchy() -> None:
    assert cgroups.tracker(mounts.parse(HYBRID)) == Path("/sys/fs/cgroup/pids")
    assert cgroups.tracker(mounts.parse(UNIFIED)) == Path("/sys/fs/cgroup")
    assert len(cgroups.trees(mounts.parse(HYBRID))) == 3


def test_no_cgroups_is_said() -> None:
    with pytest.raises(ClusterError, match="no cgroup hierarchy"):
        cgroups.tracker([])


def test_routes_that_meet_the_network_are_found() -> None:
    routes = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "10.200.5.0/24", "dev": "tun0"},
        {"dst": "10.0.0.0/8", "dev": "vpn0"},
        {"dst": "10.200.0.0/24", "dev": "kubeless0"},
        {"dst": "10.201.0.1", "dev": "eth1"},
        {"dst": "0.0.0.0/0", "dev": "eth1"},
    ]
    wanted = ipaddress.IPv4Network("10.200.0.0/16")
    found = network.overlaps(wanted, routes, {"kubeless0"})
    assert found == ["10.0.0.0/8 on vpn0", "10.200.5.0/24 on tun0"]


IPTABLES = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
-A FORWARD -i kubeless0 -m comment --comment kubeless0 -j ACCEPT
-A FORWARD -o kubeless1 -m comment --comment kubeless1 -j ACCEPT
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
COMMIT
"""


def test_only_rules_with_our_mark_are_ours() -> None:
    rule = ["FORWARD", "-i", "kubeless0", "-m", "comment", "--comment", "kubeless0", "-j", "ACCEPT"]
    assert network.marked_rules(IPTABLES, "kubeless0") == [rule]


def test_the_forward_policy_is_read() -> None:
    assert network.forward_policy(IPTABLES) == "DROP"
    assert network.forward_policy("") == "ACCEPT"


def test_resolvers_on_the_hosts_loopback_are_left_out() -> None:
    text = "# x\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.2\nsearch a b\n"
    assert nodeparts.usable_resolvers(text) == "nameserver 10.0.0.2\nsearch a b\n"


def test_a_missing_capability_is_seen() -> None:
    assert nodeparts.has_capability(24, "CapEff:\t000001ffffffffff\n")
    assert not nodeparts.has_capability(24, "CapEff:\t000001fffeffffff\n")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.6 linux/amd64", (1, 26, 6)),
        ("go1.21", (1, 21, 0)),
        ("1.26.6", (1, 26, 6)),
        ("devel go1.27-abc", (1, 27, 0)),
    ],
)
def test_go_versions(text: str, version: tuple[int, int, int]) -> None:
    assert golang.parse_version(text) == version


def test_a_missing_go_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golang, "find_go", lambda: None)
    with pytest.raises(ClusterError, match=r"found none, need 1\.\d+.*install Go"):
        golang.toolchain(binaries.MODULE)


def test_an_old_go_says_found_and_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    old.chmod(0o755)
    monkeypatch.setattr(golang, "find_go", lambda: old)
    with pytest.raises(ClusterError, match=r"found 1\.19\.8 .*need 1\.26\.6"):
        golang.toolchain(binaries.MODULE)


def test_a_go_that_cannot_fetch_the_needed_one_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text(
        "#!/bin/sh\n"
        'if [ "$GOTOOLCHAIN" = local ] && [ "$PWD" = / ]; then echo go version go1.24.1 x/y\n'
        "else echo go.mod requires go 1.26.6 >&2; exit 1; fi\n"
    )
    go.chmod(0o755)
    monkeypatch.setattr(golang, "find_go", lambda: go)
    with pytest.raises(ClusterError, match=r"found 1\.24\.1 .*could not be fetched"):
        golang.toolchain(binaries.MODULE)
