"""What processes of a run share, by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.control_plane import ROOT
from support.shared import Shared

PROGRAM = """
import sys
from pathlib import Path
from support.shared import Shared

where, log = Path(sys.argv[1]), Path(sys.argv[2])

def note(what):
    def noted():
        with log.open("a") as file:
            file.write(what + "\\n")
    return noted

with Shared(where, note("start"), note("stop")).used():
    print("used", flush=True)
    sys.stdin.readline()
"""


class User:
    """A process that uses something shared until it is told to leave."""

    def __init__(self, where: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, where, where / "log"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def wait(self) -> User:
        """Until it uses the thing."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"used\n"
        return self

    def leave(self) -> None:
        self._process.communicate(b"\n", timeout=20)
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=20)


def log(where: Path) -> list[str]:
    return (where / "log").read_text().split()


def test_the_first_starts_it_and_the_last_stops_it(tmp_path: Path) -> None:
    users = [User(tmp_path) for _ in range(4)]
    for user in users:
        user.wait()
    assert log(tmp_path) == ["start"]
    for user in users[:3]:
        user.leave()
    assert log(tmp_path) == ["start"]
    users[3].leave()
    assert log(tmp_path) == ["start", "stop"]
    User(tmp_path).wait().leave()
    assert log(tmp_path) == ["start", "stop"] * 2


def test_one_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    killed, other = User(tmp_path).wait(), User(tmp_path).wait()
    killed.kill()
    other.leave()
    assert log(tmp_path) == ["start", "stop"]
    User(tmp_path).wait().kill()
    User(tmp_path).wait().leave()
    assert log(tmp_path) == ["start", "stop", "start", "start", "stop"]


def test_one_that_only_holds_it_neither_starts_nor_loses_it(tmp_path: Path) -> None:
    said: list[str] = []
    thing = Shared(tmp_path, lambda: said.append("start"), lambda: said.append("stop"))
    with thing.held():
        pass
    assert said == []
    with thing.held():
        with thing.used():
            assert said == ["start"]
        with thing.used():
            assert said == ["start"]
    assert said == ["start", "stop"]


def test_a_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []

    def start() -> None:
        said.append("start")
        assert len(said) > 1, "not now"

    thing = Shared(tmp_path, start, lambda: said.append("stop"))
    with pytest.raises(AssertionError, match="not now"), thing.used():
        pass
    with thing.used():
        pass
    assert said == ["start", "start", "stop"]
