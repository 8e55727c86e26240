"""A cluster of its own for these tests: instance 7, beside whatever runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "cluster"
NUMBER = 7
NAME = f"kubeless{NUMBER}"
CGROUPS = Path("/sys/fs/cgroup")
SETTINGS = ("net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")


@dataclass(frozen=True)
class Cluster:
    """The tool, told to work on one state folder."""

    state: Path
    number: int = NUMBER
    tool: Path = TOOL

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "KUBELESS_CLUSTER_STATE": str(self.state),
            "KUBELESS_CLUSTER_INSTANCE": str(self.number),
        }

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.tool / "cluster"), *words],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def do(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def shell(self, script: str) -> str:
        """Output of a user's shell that has evaluated `cluster env`."""
        done = subprocess.run(
            ["bash", "-euc", f'eval "$({self.tool}/cluster env)"\n{script}'],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def pids(self) -> dict[str, int]:
        """Component and process id, of those that `status` shows one for."""
        rows = [line.split() for line in self.run("status").stdout.splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) > 2 and row[1].isdecimal()}


def processes(state: Path, name: str = NAME) -> dict[int, str]:
    """Processes of a cluster: by cgroup, and by what their command line names."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if "\nState:\tZ" in (folder / "status").read_text():
                continue  # ended; whoever is its parent has not looked yet
            groups = (folder / "cgroup").read_text()
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        of_group = any(line.split(":", 2)[2].startswith(f"/{name}") for line in groups.splitlines())
        if of_group or any(str(state) in word for word in words):
            found[int(folder.name)] = " ".join(words)
    return found


def _lines(*words: str) -> list[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    # Counters and dates differ between two looks at the same rules.
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def footprint(state: Path) -> dict[str, object]:
    """Everything a cluster leaves on a machine, as it is now.

    Other instances may come and go beside the tests; what is theirs is left out.
    """

    def ours(lines: list[str]) -> list[str]:
        others = [f"kubeless{n}" for n in range(50) if n != NUMBER]
        return sorted(line for line in lines if not any(other in line for other in others))

    found: dict[str, object] = {
        "processes": sorted(processes(state).values()),
        "mounts": [
            line.split(" ")[4]
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if str(state) in line or "/netns" in line
        ],
        "links": ours([link.name for link in Path("/sys/class/net").iterdir()]),
        "routes": ours(_lines("ip", "route", "show", "table", "all")),
        "rules": ours(_lines("nft", "list", "tables")),
        "iptables": ours([x for x in _lines("iptables-save") if x.startswith("-A")]),
        "named namespaces": _lines("ip", "netns", "list"),
        "cgroups": sorted(str(p) for p in CGROUPS.glob(f"**/{NAME}")),
        "record": Path(f"/run/kubeless-cluster/instances/{NAME}").exists(),
    }
    if not Path("/run/kubeless-cluster").exists():
        # Settings of the machine belong to all instances together.
        found["settings"] = {s: (Path("/proc/sys") / s).read_text() for s in SETTINGS}
        found["folders"] = [Path(p).exists() for p in ("/run/containerd", "/var/lib/kubelet")]
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """For another cluster's state; with a short name, as sockets' paths are bounded."""
    with tempfile.TemporaryDirectory(prefix="kubeless-test-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """A state folder; whatever a test leaves in it is taken down at the end."""
    if os.geteuid() != 0:
        pytest.skip("a cluster needs root")
    folder = Path(tempfile.mkdtemp(prefix="kubeless-test-")) / "state"
    yield folder
    Cluster(folder).run("down", "--purge")
    shutil.rmtree(folder.parent)


@pytest.fixture(scope="session")
def before(state: Path) -> dict[str, object]:
    """The machine before the tests' cluster."""
    return footprint(state)


@pytest.fixture(scope="session")
def cluster(state: Path, before: dict[str, object]) -> Cluster:
    """The tests' cluster; each test brings it to the state that it needs."""
    return Cluster(state)
