"""The control plane: etcd, API server, controller-manager, scheduler.

All four run in the first node's network namespace, so their usual ports are
free whatever the host runs; etcd listens on that namespace's loopback only.
"""

from __future__ import annotations

from . import namespaces, probe
from .binaries import Binaries
from .component import Component
from .instance import Instance
from .packages import SYSTEM_PATH

ENVIRONMENT = {"PATH": SYSTEM_PATH, "HOME": "/root"}


def components(instance: Instance, binaries: Binaries) -> list[Component]:
    """The four, in the order they are started."""
    return [
        etcd(instance, binaries),
        apiserver(instance, binaries),
        controller_manager(instance, binaries),
        scheduler(instance, binaries),
    ]


def _inside(instance: Instance) -> tuple[str, ...]:
    return tuple(namespaces.enter(instance.node))


def etcd(instance: Instance, binaries: Binaries) -> Component:
    health = f"http://{instance.node.address}:2381"
    return Component(
        name="etcd",
        argv=(
            str(binaries.path("etcd")),
            f"--data-dir={instance.control_plane / 'etcd'}",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            f"--listen-metrics-urls={health}",
            # A cluster to develop on: losing it with the machine is fine, waiting is not.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
        log=instance.logs / "etcd.log",
        ready=lambda: '"true"' in probe.ask(f"{health}/health").body,
        inside=_inside(instance),
        environment=ENVIRONMENT,
    )


def apiserver(instance: Instance, binaries: Binaries) -> Component:
    pki, url = instance.pki, instance.api_url
    return Component(
        name="kube-apiserver",
        argv=(
            str(binaries.path("kube-apiserver")),
            "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={instance.node.address}",
            "--secure-port=6443",
            f"--service-cluster-ip-range={instance.services}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki}/service-account.pub",
            f"--service-account-signing-key-file={pki}/service-account.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key",
            "--profiling=false",
        ),
        log=instance.logs / "kube-apiserver.log",
        ready=lambda: probe.ask(f"{url}/readyz").ok,
        inside=_inside(instance),
        environment=ENVIRONMENT,
        files=(pki / "ca.crt", pki / "apiserver.crt"),
        timeout=120,
    )


def controller_manager(instance: Instance, binaries: Binaries) -> Component:
    pki = instance.pki
    config = instance.control_plane / "controller-manager.kubeconfig"
    url = f"https://{instance.node.address}:10257/healthz"
    return Component(
        name="kube-controller-manager",
        argv=(
            str(binaries.path("kube-controller-manager")),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            # The default (20 a second) makes the start of its controllers 5 s longer.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            "--allocate-node-cidrs=true",
            f"--cluster-cidr={instance.pods}",
            "--node-cidr-mask-size=24",
            f"--service-cluster-ip-range={instance.services}",
            f"--root-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            f"--service-account-private-key-file={pki}/service-account.key",
            "--profiling=false",
        ),
        log=instance.logs / "kube-controller-manager.log",
        ready=lambda: probe.ask(url).ok,
        inside=_inside(instance),
        environment=ENVIRONMENT,
        files=(config,),
    )


def scheduler(instance: Instance, binaries: Binaries) -> Component:
    config = instance.control_plane / "scheduler.kubeconfig"
    url = f"https://{instance.node.address}:10259/healthz"
    return Component(
        name="kube-scheduler",
        argv=(
            str(binaries.path("kube-scheduler")),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--profiling=false",
        ),
        log=instance.logs / "kube-scheduler.log",
        ready=lambda: probe.ask(url).ok,
        inside=_inside(instance),
        environment=ENVIRONMENT,
        files=(config,),
    )
