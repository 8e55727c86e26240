"""The local cluster as its users meet it, crashes included. Tests run in order."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import NUMBER, TOOL, Cluster, footprint, processes

COMPONENTS = (
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
IMAGE = "localhost/kubeless-cluster-test/waits:1"
POD = f"""kubectl apply -f - <<'END'
apiVersion: v1
kind: Pod
metadata: {{name: waits}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: main, image: "{IMAGE}", imagePullPolicy: Never}}
END
kubectl wait --for=condition=Ready pod/waits --timeout=30s"""


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds} s"
        time.sleep(0.02)


def processor_seconds() -> float:
    """What the commands so far took of the processor: other than time, that is the same on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def kill_all(cluster: Cluster) -> None:
    """kill -9 of everything at once, as a crash of the machine's userland would."""
    while found := processes(cluster.state):
        for pid in found:
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    kill(pid)


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """An image in buildah's storage, made of the distribution's static init."""

    def buildah(*words: str) -> str:
        done = subprocess.run(["buildah", *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    container = buildah("from", "scratch")
    buildah("copy", container, str(shutil.which("catatonit")), "/catatonit")
    buildah("config", "--entrypoint", '["/catatonit", "-P"]', "--user", "1000", container)
    buildah("commit", container, IMAGE)
    buildah("rm", container)
    yield IMAGE
    buildah("rmi", IMAGE)


def test_up_makes_a_cluster_with_a_ready_node_and_dns(cluster: Cluster) -> None:
    cluster.do("up")
    status = cluster.do("status")
    rows = [line.split() for line in status.stdout.splitlines()]
    assert {row[0] for row in rows if row[-1] == "up"} >= {*COMPONENTS, "network", "coredns"}
    assert str(cluster.state / "kubeconfig") in status.stdout
    versions = cluster.shell("kubectl get nodes; kubectl version; helm version")
    assert " Ready " in versions
    assert versions.count("v1.37") >= 3


def test_a_second_up_takes_a_second_and_changes_nothing(cluster: Cluster) -> None:
    pids = cluster.pids()
    before = processor_seconds()
    done = cluster.do("up")
    assert processor_seconds() - before < 2
    assert "the cluster is up" in done.stderr
    assert cluster.pids() == pids


def test_a_loaded_image_runs_under_its_own_name_and_is_copied_once(
    cluster: Cluster, image: str
) -> None:
    assert "loading" in cluster.do("load", image).stderr
    assert "already there" in cluster.do("load", image).stderr
    assert "condition met" in cluster.shell(POD)


def test_an_unknown_image_is_refused_and_nothing_is_copied(cluster: Cluster, image: str) -> None:
    done = cluster.run("load", image, "localhost/no-such/image:1")
    assert done.returncode == 1
    assert "no such image: localhost/no-such/image:1 (looked in buildah and docker)" in done.stderr
    assert "already there" not in done.stderr


def test_names_resolve_and_services_answer_from_the_host(cluster: Cluster) -> None:
    dns = cluster.shell("kubectl -n kube-system get svc kube-dns -o jsonpath={.spec.clusterIP}")
    assert dns == f"10.{200 + NUMBER}.128.10"
    url = cluster.shell(
        "kubectl -n kube-system get pod -l k8s-app=kube-dns -o jsonpath={.items[0].status.podIP}"
    )
    for address in (f"http://{url}:9153/metrics", f"http://{dns}:9153/metrics"):
        cluster.shell(f"curl -sf --noproxy '*' --retry 5 --retry-connrefused {address} >/dev/null")


def test_a_gateway_comes_once_and_goes_with_all_that_it_brought(cluster: Cluster) -> None:
    """What it does with traffic is tested in tests/e2e."""
    assert cluster.run("gateway", "show").returncode == 1
    assert "the gateway is up (after" in cluster.do("gateway", "up").stderr
    pods = "kubectl -n projectcontour get pods -o jsonpath='{.items[*].metadata.uid}'"
    before = cluster.shell(pods)
    begin = processor_seconds()
    assert "the gateway is up (looked for" in cluster.do("gateway", "up").stderr
    assert processor_seconds() - begin < 3
    assert cluster.shell(pods) == before
    shown = json.loads(cluster.do("gateway", "show").stdout)
    assert shown["address"] == f"10.{200 + NUMBER}.0.2"
    assert "BEGIN CERTIFICATE" in Path(shown["ca"]).read_text()
    rows = [line.split() for line in cluster.do("status").stdout.splitlines()]
    assert {row[0] for row in rows if row[-1] == "up"} >= {"contour", "envoy", "gateway"}
    assert "removed the gateway" in cluster.do("gateway", "down").stderr
    kinds = "crd,clusterrole,clusterrolebinding,ingressclass,namespace"
    assert not [
        line
        for line in cluster.shell(f"kubectl get {kinds} -o name").splitlines()
        if "contour" in line or "gateway" in line
    ]
    assert "nothing to remove" in cluster.do("gateway", "down").stderr


def test_each_killed_component_is_started_again_and_the_others_run_on(cluster: Cluster) -> None:
    pids = cluster.pids()
    for name in COMPONENTS:
        kill(pids[name])
        until(lambda pid=pids[name]: pid not in processes(cluster.state))  # type: ignore[misc]
        assert f"{name} down" in cluster.do("up").stderr
        now = cluster.pids()
        assert now[name] != pids[name]
        assert {k: v for k, v in now.items() if k != name} == {
            k: v for k, v in pids.items() if k != name
        }
        pids = now
    assert cluster.shell("kubectl get pod waits -o jsonpath={.status.phase}") == "Running"


def test_up_after_everything_was_killed_goes_on_with_its_objects(cluster: Cluster) -> None:
    cluster.shell("kubectl create configmap kept --from-literal=a=b")
    kill_all(cluster)
    assert "down" in cluster.run("status").stdout
    assert "removed what was left over" in cluster.do("up").stderr
    assert cluster.shell("kubectl get configmap kept -o jsonpath={.data.a}") == "b"
    cluster.shell("kubectl wait --for=condition=Ready pod/waits --timeout=30s")


def test_a_number_in_use_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    done = Cluster(tmp_path / "other").run("up")
    assert done.returncode == 1
    assert f"in use by {cluster.state}" in done.stderr
    assert Cluster(tmp_path / "other").run("down").returncode != 0
    assert cluster.run("status").returncode == 0


def test_addresses_in_use_are_refused(cluster: Cluster, folder: Path) -> None:
    other = Cluster(folder / "state", NUMBER + 1)
    done = other.run("up", KUBELESS_CLUSTER_NETWORK=f"10.{200 + NUMBER}.0.0/16")
    assert done.returncode == 1
    assert f"meets what the host already routes: 10.{200 + NUMBER}.0.0/24" in done.stderr
    other.run("down", "--purge")


def test_down_after_everything_was_killed_leaves_nothing(
    cluster: Cluster, before: dict[str, object]
) -> None:
    kill_all(cluster)
    done = cluster.do("down")
    for removed in ("bridge", "mount", "cgroup", "firewall table", "route"):
        assert removed in done.stderr
    assert "kept for the next `up`" in done.stderr
    now = footprint(cluster.state)
    assert now == {key: before[key] for key in now if key in before}


def test_up_goes_on_after_another_clones_up_was_killed(cluster: Cluster, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(TOOL, clone, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    other = Cluster(cluster.state, tool=clone)
    up = subprocess.Popen(
        [str(clone / "cluster"), "up"],
        env=other.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: any("etcd" in words for words in processes(cluster.state).values()))
    finally:
        up.kill()
        up.wait()
    shutil.rmtree(clone)
    cluster.do("up")
    assert "kept" not in cluster.shell("kubectl get configmaps -o name")


def test_up_after_a_reboot_starts_fresh_with_the_images_it_had(cluster: Cluster) -> None:
    cluster.shell("kubectl create configmap lost --from-literal=a=b")
    kill_all(cluster)
    (cluster.state / "boot-id").write_text("another boot\n")
    cluster.do("up")
    assert "lost" not in cluster.shell("kubectl get configmaps -o name")
    assert "condition met" in cluster.shell(POD)


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for words in (("up",), ("down", "--purge")):
        done = Cluster(tmp_path, NUMBER + 1).run(*words)
        assert done.returncode == 1
        assert "holds what no cluster made (thesis.txt, 1 entries)" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_host_that_forwards_nothing_gets_two_rules_and_loses_them_again(
    cluster: Cluster,
) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(TOOL)!r})\n"
        "from kubeless_cluster import command, network\n"
        "def rules(): return command.output(['iptables', '-S', 'FORWARD']).splitlines()\n"
        "command.run(['iptables', '-P', 'FORWARD', 'DROP'])\n"
        "network.open_forward('kubeless7'); opened = rules()\n"
        "network.close_forward('kubeless7')\n"
        "print(len(opened), all('kubeless7' in r for r in opened[1:]), rules())"
    )
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "3 True ['-P FORWARD DROP']"


def test_down_removes_a_cluster_whose_state_folder_was_deleted(folder: Path) -> None:
    other = Cluster(folder / "state", NUMBER + 1)
    other.do("up")
    subprocess.run(["rm", "-rf", str(other.state)], capture_output=True, check=False)
    assert "kube-apiserver" in other.do("down", "--purge").stderr
    name = f"kubeless{NUMBER + 1}"
    assert not processes(other.state, name)
    assert not Path("/sys/class/net", name).exists()
    assert not other.state.exists()


def test_a_failure_shows_the_components_last_lines_and_its_log(cluster: Cluster) -> None:
    config = cluster.state / "control-plane" / "scheduler.kubeconfig"
    kill(cluster.pids()["kube-scheduler"])
    certificates = cluster.state / "control-plane" / "pki"
    (certificates / "scheduler.crt").write_text("broken\n")
    done = cluster.run("up")
    assert done.returncode == 1
    assert "kube-scheduler ended; its last lines:" in done.stderr
    assert f"all of it: {cluster.state}/control-plane/logs/kube-scheduler.log" in done.stderr
    assert config.exists()


def test_down_leaves_nothing_and_a_second_says_so(
    cluster: Cluster, before: dict[str, object]
) -> None:
    done = cluster.do("down", "--purge")
    assert "kube-apiserver" in done.stderr
    now = footprint(cluster.state)
    assert now == {key: before[key] for key in now if key in before}
    assert not cluster.state.exists()
    assert "nothing to remove" in cluster.do("down").stderr
    assert cluster.run("status").returncode == 1
    assert "is not up" in cluster.run("load", "localhost/x:1").stderr


def test_wrong_words_are_refused_with_usage(cluster: Cluster) -> None:
    for words in (["start"], ["up", "--force"], []):
        done = cluster.run(*words)
        assert done.returncode == 2
        assert "usage: cluster" in done.stderr


def test_who_is_not_root_is_told_so(cluster: Cluster) -> None:
    script = (
        f"import os, sys; sys.path.insert(0, {str(TOOL)!r})\n"
        "from kubeless_cluster import cli\n"
        "os.setuid(65534); sys.exit(cli.main(['up']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**cluster.environment, "KUBELESS_CLUSTER_STATE": "/tmp/nobodys"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "`cluster up` needs root (found user id 65534)" in done.stderr
    assert "Traceback" not in done.stderr
