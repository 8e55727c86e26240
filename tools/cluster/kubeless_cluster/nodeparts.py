"""The node: containerd, kubelet, kube-proxy, and the files they read.

Paths in these files are as the programs see them, inside the node's mount
namespace: /run/containerd and /var/lib/kubelet are the node's own there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import namespaces, packages, probe
from .binaries import Binaries
from .component import Component
from .errors import ClusterError
from .instance import Node

CAP_SYS_RESOURCE = 24
RESOLV_CONF = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def has_capability(number: int, status: str) -> bool:
    """Whether a /proc/<pid>/status text shows capability `number` as effective."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def may_lower_oom_score() -> bool:
    """Whether processes may be protected from the out-of-memory killer here."""
    return has_capability(CAP_SYS_RESOURCE, Path("/proc/self/status").read_text())


def usable_resolvers(resolv_conf: str) -> str:
    """A resolv.conf without name servers that only the host's loopback reaches."""
    kept = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and (words[1:2] == ["::1"] or words[1].startswith("127.")):
            continue
        if words[:1] in (["nameserver"], ["search"], ["options"]):
            kept.append(line)
    return "\n".join([*kept, ""])


def host_resolvers() -> str:
    """The host's resolvers that pods can use; without name servers when there are none."""
    text = ""
    for path in RESOLV_CONF:
        try:
            text = usable_resolvers(path.read_text())
        except OSError:
            continue
        if "nameserver" in text:
            break
    return text


def containerd_config(node: Node, sandbox_image: str, *, oom_restricted: bool) -> str:
    """containerd's configuration, version 3."""
    return f"""version = 3
root = "{node.state}/containerd"
state = "/run/containerd"
# These write outside of the node's folders, and nothing here uses them.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{sandbox_image}"

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = {str(oom_restricted).lower()}
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["{packages.cni_folder()}"]
    conf_dir = "{node.state}/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "{packages.program("runc")}"
        SystemdCgroup = false
"""


def cni_config(node: Node, mtu: int) -> dict[str, Any]:
    """Pods on one bridge in the node; no masquerading there: the host knows the way to pods."""
    return {
        "cniVersion": "0.4.0",
        "name": "kubeless",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "hairpinMode": True,
                "mtu": mtu,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/containerd/cni",
                    "ranges": [[{"subnet": str(node.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(node: Node, *, oom_restricted: bool) -> dict[str, Any]:
    pki = node.instance.pki
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/kubelet-server-{node.name}.crt",
        "tlsPrivateKeyFile": f"{pki}/kubelet-server-{node.name}.key",
        "healthzBindAddress": str(node.address),
        "clusterDomain": "cluster.local",
        "clusterDNS": [str(node.instance.dns_service)],
        "resolvConf": str(node.state / "resolv.conf"),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.instance.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "seccompDefault": True,
        "oomScoreAdj": 0 if oom_restricted else -999,
        "podLogsDir": str(node.logs / "pods"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "serializeImagePulls": False,
        # The disk is shared with everything else on the machine, and images that
        # were loaded can't be pulled again.
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def proxy_config(node: Node, *, oom_restricted: bool) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(node.state / "proxy.kubeconfig")},
        "mode": "iptables",
        "clusterCIDR": str(node.instance.pods),
        "detectLocalMode": "ClusterCIDR",
        "hostnameOverride": node.name,
        "healthzBindAddress": f"{node.address}:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # The machine's connection table stays as it is.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "oomScoreAdj": 0 if oom_restricted else -999,
    }


def write_files(node: Node, sandbox_image: str, mtu: int) -> None:
    """Everything the three components read from the node's folder."""
    socket = node.containerd_socket
    if len(os.fsencode(socket)) > 107:
        raise ClusterError(
            f"{socket} is longer than a Unix socket's path may be (107 bytes): "
            "choose a shorter state folder with KUBELESS_CLUSTER_STATE"
        )
    for folder in ("cni", "logs", "kubelet", "run"):
        (node.state / folder).mkdir(parents=True, exist_ok=True)
    restricted = not may_lower_oom_score()
    texts = {
        "containerd.toml": containerd_config(node, sandbox_image, oom_restricted=restricted),
        "cni/10-kubeless.conflist": json.dumps(cni_config(node, mtu), indent=1),
        "kubelet.json": json.dumps(kubelet_config(node, oom_restricted=restricted), indent=1),
        "proxy.json": json.dumps(proxy_config(node, oom_restricted=restricted), indent=1),
        "resolv.conf": host_resolvers(),
    }
    for name, text in texts.items():
        path = node.state / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def components(
    node: Node, binaries: Binaries, environment: Mapping[str, str] = os.environ
) -> list[Component]:
    """containerd, kubelet and kube-proxy, in the order they are started."""
    inside = tuple(namespaces.enter(node))
    base = {"PATH": f"{binaries.folder}:{packages.SYSTEM_PATH}", "HOME": "/root"}
    # Only containerd leaves the cluster (to pull images), so only it is told of proxies.
    proxies = {name: environment[name] for name in PROXY_VARIABLES if name in environment}
    health = f"http://{node.address}:"
    return [
        Component(
            name="containerd",
            argv=(
                str(binaries.path("containerd")),
                f"--config={node.state / 'containerd.toml'}",
                "--log-level=warn",
            ),
            log=node.logs / "containerd.log",
            ready=lambda: probe.listens(node.containerd_socket),
            inside=inside,
            environment={**base, **proxies},
            files=(node.state / "containerd.toml",),
        ),
        Component(
            name="kubelet",
            argv=(
                str(binaries.path("kubelet")),
                f"--config={node.state / 'kubelet.json'}",
                f"--kubeconfig={node.state / 'kubelet.kubeconfig'}",
                "--root-dir=/var/lib/kubelet",
                f"--hostname-override={node.name}",
                f"--node-ip={node.address}",
            ),
            log=node.logs / "kubelet.log",
            ready=lambda: probe.ask(f"{health}10248/healthz").ok,
            inside=inside,
            environment=base,
            files=(
                node.state / "kubelet.json",
                node.state / "kubelet.kubeconfig",
                node.state / "resolv.conf",
            ),
        ),
        Component(
            name="kube-proxy",
            argv=(str(binaries.path("kube-proxy")), f"--config={node.state / 'proxy.json'}"),
            log=node.logs / "kube-proxy.log",
            ready=lambda: probe.ask(f"{health}10256/healthz").ok,
            inside=inside,
            environment=base,
            files=(node.state / "proxy.json", node.state / "proxy.kubeconfig"),
        ),
    ]
