"""The command as a process: exit codes, quiet ends, and no slow imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KUBELESS = [sys.executable, "-m", "kubeless_cli"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KUBELESS, *arguments],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "KUBERNETES_SERVICE_HOST"} | environment,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["version"],
        ["function", "--help"],
        ["function", "call", "--help"],
        ["autoscale", "--help"],
        ["autoscale", "create", "--help"],
        ["autoscale", "list", "--help"],
        ["trigger", "http", "--help"],
        ["trigger", "http", "create", "--help"],
        ["trigger", "http", "list", "--help"],
        ["trigger", "cronjob", "create", "--help"],
        ["trigger", "cronjob", "describe", "--help"],
        ["get-server-config", "--help"],
    ],
)
def test_nothing_slow_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    code = (
        "import sys; from kubeless_cli.__main__ import run; code = run(sys.argv[1:]); "
        "slow = {'kubernetes', 'urllib3', 'rich', 'yaml', 'kubeless_kube'} & set(sys.modules); "
        "sys.exit(f'imported {slow}' if slow else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_kubeconfig_is_said_in_two_lines(tmp_path: Path) -> None:
    done = run("function", "list", KUBECONFIG=str(tmp_path / "nosuch"))
    assert done.returncode == 1
    assert "nosuch" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_kubeconfig_that_is_not_yaml_is_said_in_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("{")
    done = run("--kubeconfig", str(path), "function", "list")
    assert done.returncode == 1
    assert "not YAML" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_server_that_is_not_there_is_said_in_two_lines(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [],"
        " clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}],"
        " contexts: [{name: c, context: {cluster: c, user: ''}}]}"
    )
    done = run("function", "list", "--kubeconfig", str(path))
    assert done.returncode == 1
    assert "127.0.0.1:1 cannot be reached" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_reader_that_goes_away_is_no_error_to_talk_about(tmp_path: Path) -> None:
    source = tmp_path / "big.py"
    source.write_text("x\n" * 500_000)  # indented, more than any pipe holds
    manifest = f"-m kubeless_cli function deploy x --runtime r --handler a.b -f {source} --dryrun"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} {manifest} | head -1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("apiVersion: kubeless.io/v1beta1\n", "")
    assert done.returncode == 141


def test_an_interrupt_ends_with_130_and_no_traceback() -> None:
    # Also where the tests themselves run in the background of a shell, which has its children ignore it.
    code = (
        "import _thread, signal, sys; from kubeless_cli import __main__ as m\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def run(arguments): _thread.interrupt_main(); import time; time.sleep(60)\n"
        "m.run = run; m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
