from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubeless_cluster import binaries, golang
from kubeless_cluster.binaries import MODULE, linker_flags
from kubeless_cluster.builds import cache_key
from kubeless_cluster.errors import ClusterError

FAKE_GO = """#!/bin/sh
for word; do case "$last" in -o) out=$word;; esac; last=$word; done
echo "$last" >>"{calls}"
case "$last" in *{broken}*) echo "no required module provides it" >&2; exit 1;; esac
echo "$last" >"$out"
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that writes down what it was asked to build."""
    path = tmp_path / "go"
    path.write_text(FAKE_GO.format(calls=tmp_path / "calls", broken="nothing-is-broken"))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(golang, "toolchain", lambda module: (path, "go1.26.6"))
    return path


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().split()


def test_the_key_differs_with_everything_that_goes_in() -> None:
    files = {"go.mod": b"a", "go.sum": b"b"}
    keys = {
        cache_key(files, "go1.26.6", "-s"),
        cache_key({**files, "go.mod": b"c"}, "go1.26.6", "-s"),
        cache_key({"go.mod": b"ab", "go.sum": b""}, "go1.26.6", "-s"),
        cache_key(files, "go1.26.7", "-s"),
        cache_key(files, "go1.26.6", "-w"),
    }
    assert len(keys) == 5
    assert cache_key(dict(reversed(files.items())), "go1.26.6", "-s") in keys


def test_programs_are_told_the_versions_that_go_mod_pins() -> None:
    flags = linker_flags((MODULE / "go.mod").read_text())
    assert "-X k8s.io/component-base/version.gitVersion=v1." in flags
    assert "-X helm.sh/helm/v3/internal/version.version=v3." in flags


def test_a_build_is_done_once(tmp_path: Path, go: Path) -> None:
    built = binaries.ensure(tmp_path / "cache")
    assert built.path("kubelet").resolve() == built.path("kube")
    assert sorted(calls(tmp_path)) == sorted(binaries.PROGRAMS.values())
    assert binaries.ensure(tmp_path / "cache") == built
    assert binaries.find(tmp_path / "cache") == built
    assert len(calls(tmp_path)) == len(binaries.PROGRAMS)


def test_programs_that_are_not_built_are_said_to_be_missing(tmp_path: Path, go: Path) -> None:
    with pytest.raises(ClusterError, match=r"not built.*run `.*cluster build`"):
        binaries.find(tmp_path / "cache")


def test_a_failed_build_shows_the_end_of_its_log_and_goes_on_later(
    tmp_path: Path, go: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = go.read_text()
    go.write_text(whole.replace("nothing-is-broken", "coredns"))
    with pytest.raises(ClusterError) as failure:
        binaries.ensure(tmp_path / "cache")
    assert "building coredns failed" in str(failure.value)
    assert "no required module provides it" in str(failure.value)
    assert "build-coredns.log" in str(failure.value)
    assert not [f for f in (tmp_path / "cache").iterdir() if len(f.name) == 16]
    go.write_text(whole)
    binaries.ensure(tmp_path / "cache")
    assert calls(tmp_path).count("./kube") == 1
    assert "[1 of 10] kube: already built" in capsys.readouterr().err


def test_the_time_of_the_last_build_is_told(
    tmp_path: Path, go: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries.ensure(tmp_path / "cache")
    assert "last time" not in capsys.readouterr().err
    monkeypatch.setattr(golang, "toolchain", lambda module: (go, "go1.26.7"))
    binaries.ensure(tmp_path / "cache")
    assert "[10 of 10] building kubeconform ... (last time 0.0 s)" in capsys.readouterr().err


def test_the_newest_two_builds_are_kept(
    tmp_path: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, folders = tmp_path / "cache", []
    for age, version in enumerate(("go1.26.6", "go1.26.7", "go1.26.8")):
        monkeypatch.setattr(golang, "toolchain", lambda module, v=version: (go, v))
        folders.append(binaries.ensure(cache).folder.parent)
        if folders[-1].exists():
            os.utime(folders[-1], (age, age))
    assert [folder.exists() for folder in folders] == [False, True, True]
