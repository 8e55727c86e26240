from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubeless_cluster import cli, lifecycle
from kubeless_cluster.errors import ClusterError
from kubeless_cluster.instance import Instance, default_network


@pytest.fixture(autouse=True)
def empty_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBELESS_CLUSTER_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["start"],
        ["up", "now"],
        ["down", "--purg"],
        ["load"],
        ["env", "--path"],
        ["gateway"],
        ["gateway", "on"],
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    assert "usage: cluster" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["down"],
        ["status"],
        ["load", "x"],
        ["gateway", "up"],
        ["gateway", "down"],
        ["gateway", "show"],
    ],
)
def test_who_is_not_root_is_told_so(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert cli.main(words) == 1
    assert "needs root (found user id 1000)" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["kubeconfig"], ["env"]])
def test_without_a_cluster_one_is_told_to_make_it(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 1
    told = capsys.readouterr()
    assert "run `tools/cluster/cluster up`" in told.err
    assert told.out == ""


def test_a_gateway_needs_a_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert cli.main(["gateway", "show"]) == 1
    told = capsys.readouterr()
    assert "the cluster is not up: run `" in told.err
    assert told.out == ""


def test_a_folder_with_something_else_in_it_is_never_taken(empty_state: Path) -> None:
    instance = Instance(49, empty_state, default_network(49))
    empty_state.mkdir()
    (empty_state / "thesis.txt").write_text("years of work")
    with pytest.raises(ClusterError, match=r"holds what no cluster made \(thesis.txt, 1 entries\)"):
        lifecycle.own_folder(instance)
    (empty_state / "thesis.txt").unlink()
    lifecycle.own_folder(instance)
    (empty_state / "etcd").mkdir()
    lifecycle.own_folder(instance)
