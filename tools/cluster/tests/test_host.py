"""The record of the machine's settings, against a folder that stands for /proc/sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeless_cluster import host
from kubeless_cluster.errors import ClusterError
from kubeless_cluster.instance import Instance, default_network

FORWARD = "net/ipv4/ip_forward"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "sys"
    for name in host.CHANGED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("0\n")
    monkeypatch.setattr(host, "SYSCTL", root)
    monkeypatch.setattr(host, "OWN_FOLDERS", {tmp_path / "var" / "kubelet": "kubelet"})
    monkeypatch.setattr(host, "LINKS", tmp_path / "links")
    return root


def instance(number: int, state: str = "/s") -> Instance:
    return Instance(number, Path(f"{state}{number}"), default_network(number))


def appear(tmp_path: Path, name: str) -> None:
    (tmp_path / "links" / name).mkdir(parents=True)


def test_the_last_instance_restores_what_the_first_found(tmp_path: Path, settings: Path) -> None:
    run = tmp_path / "run"
    for number in (0, 1):
        host.claim(instance(number), run)
        appear(tmp_path, f"kubeless{number}")
    assert (settings / FORWARD).read_text() == "1"
    assert host.release(instance(0), run) == []
    (tmp_path / "links" / "kubeless0").rmdir()
    assert (settings / FORWARD).read_text() == "1"
    done = host.release(instance(1), run)
    assert "setting net.ipv4.ip_forward: 1 -> 0" in done
    assert f"folder {tmp_path / 'var' / 'kubelet'}" in done
    assert (settings / FORWARD).read_text() == "0"
    assert not run.exists()


def test_an_instance_that_a_crash_left_on_record_does_not_count(
    tmp_path: Path, settings: Path
) -> None:
    run = tmp_path / "run"
    host.claim(instance(0), run)
    host.claim(instance(1), run)
    assert host.release(instance(1), run)
    assert not run.exists()


def test_a_setting_that_was_there_before_stays(tmp_path: Path, settings: Path) -> None:
    (settings / FORWARD).write_text("1\n")
    host.claim(instance(0), tmp_path / "run")
    host.release(instance(0), tmp_path / "run")
    assert (settings / FORWARD).read_text() == "1\n"


def test_a_number_in_use_by_another_folder_is_refused(tmp_path: Path, settings: Path) -> None:
    host.claim(instance(0, "/one"), tmp_path / "run")
    appear(tmp_path, "kubeless0")
    with pytest.raises(ClusterError, match="number 0 is in use by /one0"):
        host.claim(instance(0, "/two"), tmp_path / "run")
