"""The cluster's programs, built from the modules that go.mod pins.

They are kept in `<cache>/<key>/bin`; `builds` says how.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from . import builds, golang
from .errors import ClusterError
from .progress import Durations, say, seconds, step

MODULE = Path(__file__).resolve().parent.parent
"""Folder of go.mod."""

COMPONENTS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
)
PROGRAMS = {
    "kube": "./kube",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "etcd": "go.etcd.io/etcd/server/v3",
    "containerd": "github.com/containerd/containerd/v2/cmd/containerd",
    "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    "ctr": "github.com/containerd/containerd/v2/cmd/ctr",
    "coredns": "github.com/coredns/coredns",
    "ct": "github.com/helm/chart-testing/v3/ct",
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
}
"""Program and its package. `kube` is five programs in one; the rest of COMPONENTS link to it."""
VERSIONS = {
    "kubernetes": "k8s.io/kubernetes",
    "etcd": "go.etcd.io/etcd/api/v3",
    "containerd": "github.com/containerd/containerd/v2",
    "coredns": "github.com/coredns/coredns",
    "helm": "helm.sh/helm/v3",
}
"""What `status` tells the version of, and its module."""


def module_version(go_mod: str, module: str) -> str:
    """The version that a go.mod requires of `module`, like `v1.37.2`."""
    found = re.search(rf"^(?:require |\t){re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise ClusterError(f"go.mod requires no {module}")
    return found[1]


def linker_flags(go_mod: str) -> str:
    """Flags that leave symbols out and tell each program its version."""
    kubernetes = module_version(go_mod, "k8s.io/kubernetes")
    major, minor = kubernetes.removeprefix("v").split(".")[:2]
    containerd = module_version(go_mod, "github.com/containerd/containerd/v2")
    values = {
        "k8s.io/component-base/version.gitVersion": kubernetes,
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "k8s.io/client-go/pkg/version.gitVersion": kubernetes,
        "helm.sh/helm/v3/internal/version.version": module_version(go_mod, "helm.sh/helm/v3"),
        # The Kubernetes that `helm template` and `helm lint` assume when not told.
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": major,
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": major,
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": minor,
        "github.com/helm/chart-testing/v3/ct/cmd.Version": module_version(
            go_mod, "github.com/helm/chart-testing/v3"
        ),
        "github.com/containerd/containerd/v2/version.Version": containerd,
        "main.version": module_version(go_mod, "github.com/yannh/kubeconform"),
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])


@dataclass(frozen=True)
class Binaries:
    """A finished folder of programs."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def key(self) -> str:
        return self.folder.parent.name


def _complete(folder: Path) -> bool:
    return all((folder / "bin" / name).exists() for name in (*PROGRAMS, *COMPONENTS))


@dataclass(frozen=True)
class _Plan:
    """What this clone's modules and this machine's Go come to."""

    go: Path
    version: str
    flags: str
    key: str


def _plan() -> _Plan:
    go_mod = (MODULE / "go.mod").read_text()
    go, version = golang.toolchain(MODULE)
    flags = linker_flags(go_mod)
    names = ("go.mod", "go.sum", "kube/main.go")
    files = {name: (MODULE / name).read_bytes() for name in names}
    files["programs"] = repr(sorted(PROGRAMS.items())).encode()
    return _Plan(go, version, flags, builds.cache_key(files, version, flags))


def find(cache: Path) -> Binaries:
    """The programs, built before; ClusterError when they are not."""
    final = cache / _plan().key
    if not _complete(final):
        raise ClusterError(
            f"the programs of this version are not built ({final}): "
            f"run `{MODULE / 'cluster'} build`"
        )
    return Binaries(final / "bin")


def ensure(cache: Path) -> Binaries:
    """The programs, built now if they are not in `cache` yet.

    Raises ClusterError when Go is missing or a build fails.
    """
    plan = _plan()
    final = builds.ensure(
        cache, plan.key, _complete, lambda partial: _build(plan, cache, partial / "bin")
    )
    return Binaries(final / "bin")


def _build(plan: _Plan, cache: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    logs = cache / "logs"
    logs.mkdir(exist_ok=True)
    durations = Durations(cache / "durations.json")
    total = len(PROGRAMS)
    say(
        f"building {total} programs with {plan.version}; the first time this takes 10 to 15 minutes"
    )
    begin = time.monotonic()
    for number, (name, package) in enumerate(PROGRAMS.items(), 1):
        target = folder / name
        if target.exists():
            say(f"[{number} of {total}] {name}: already built")
            continue
        with step(f"[{number} of {total}] building {name}", durations, f"build {name}"):
            golang.build(plan.go, MODULE, package, plan.flags, target, logs / f"build-{name}.log")
    for name in COMPONENTS:
        link = folder / name
        if not link.exists():
            link.symlink_to("kube")
    say(f"built {total} programs in {seconds(time.monotonic() - begin)}")
