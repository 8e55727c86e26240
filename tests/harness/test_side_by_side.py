"""The plan of a whole run, by real runs of pytest-xdist over files that write down when each test ran, and where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.control_plane import ROOT
from support.side_by_side import Kind, group, kind

CONFTEST = """
import json, os, time
import pytest
from support import side_by_side

LOG = os.environ["RUNS"]

def pytest_xdist_make_scheduler(config, log):
    return side_by_side.Groups(config, log)

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: side_by_side.rank(item.nodeid))

@pytest.fixture(autouse=True)
def noted(request):
    began = time.monotonic()
    yield
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    run = [request.node.nodeid, worker, began, time.monotonic()]
    with open(LOG, "a") as log:
        log.write(json.dumps(run) + "\\n")
"""
FILE = """
import os, time
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_it(number):
    time.sleep({seconds})
    {more}
"""


@dataclass(frozen=True)
class Run:
    """When a test ran, and in which process."""

    node: str
    worker: str
    began: float
    ended: float


def runs(folder: Path, files: dict[str, str], *options: str, passed: bool = True) -> list[Run]:
    """Have pytest run these files, by their paths; what was run, in the order of ends."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    log = folder / "runs"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "tests"), "RUNS": str(log)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode == 0) == passed, done.stdout + done.stderr
    return [Run(*json.loads(line)) for line in log.read_text().splitlines()]


def file(tests: int, seconds: float = 0.02, more: str = "") -> str:
    return FILE.format(tests=tests, seconds=seconds, more=more)


FILES = {
    "tests/apiserver/test_one.py": file(4),
    "tests/apiserver/test_two.py": file(4),
    "tests/apiserver/test_three.py": file(4),
    "tests/apiserver/test_four.py": file(4),
    "tests/apiserver/test_chaos.py": file(2),
    "tests/e2e/test_cli.py": file(4),
    "tests/e2e/test_whole_cluster.py": file(2),
    "tests/e2e/kafka/test_groups.py": file(3),
    "tests/e2e/kafka/test_retries.py": file(3),
    "cli/tests/test_flags.py": file(6),
    "cli/tests/test_names.py": file(6),
}
LAST = ["tests/apiserver/test_chaos.py"] * 2 + ["tests/e2e/test_whole_cluster.py"] * 2


def path(run: Run) -> str:
    return run.node.partition("::")[0]


@pytest.mark.parametrize("processes", [2, 4, 9])
def test_groups_stay_together_and_what_disturbs_others_comes_last_and_alone(
    tmp_path: Path, processes: int
) -> None:
    done = runs(tmp_path, FILES, "-n", str(processes), "--dist", "loadgroup")
    assert len(done) == len({run.node for run in done}) == sum(map(_tests, FILES.values()))

    workers = defaultdict(set)
    for run in done:
        workers[group(run.node)].add(run.worker)
    assert all(len(found) == 1 for found in workers.values())
    planes = {run.worker for run in done if kind(run.node) is Kind.CONTROL_PLANE}
    assert len(planes) <= 2

    last = [run for run in done if kind(run.node) is Kind.LAST]
    assert [path(run) for run in sorted(last, key=lambda run: run.began)] == LAST
    assert max(run.ended for run in done if run not in last) <= min(run.began for run in last)
    assert len({run.worker for run in last}) == 1


def test_one_process_keeps_the_order(tmp_path: Path) -> None:
    done = runs(tmp_path, FILES)
    assert [path(run) for run in done][-4:] == LAST
    kinds = [kind(run.node) for run in done]
    assert kinds == sorted(kinds)


def test_the_tests_after_one_that_kills_its_process_are_run_by_another(tmp_path: Path) -> None:
    files = {**FILES, "tests/e2e/test_cli.py": file(4, more="os._exit(1) if number == 1 else None")}
    done = runs(tmp_path, files, "-n", "3", "--dist", "loadgroup", passed=False)
    left_out = {"tests/e2e/test_cli.py::test_it[1]"}
    assert len({run.node for run in done} | left_out) == sum(map(_tests, FILES.values()))
    last = [run for run in done if kind(run.node) is Kind.LAST]
    assert [path(run) for run in sorted(last, key=lambda run: run.began)] == LAST
    assert max(run.ended for run in done if run not in last) <= min(run.began for run in last)


def _tests(text: str) -> int:
    return int(text.partition("range(")[2].partition(")")[0])


@pytest.mark.parametrize(
    ("node", "name", "wanted"),
    [
        ("cli/tests/test_x.py::test_a", "cli/tests/test_x.py", Kind.PLAIN),
        ("tests/chaos/test_verdict.py::test_a", "tests/chaos/test_verdict.py", Kind.PLAIN),
        ("tests/chaos/test_chaos.py::test_a", "tests/chaos", Kind.CLUSTER),
        ("tests/e2e/kafka/test_x.py::test_a[1]", "tests/e2e/kafka", Kind.CLUSTER),
        ("tests/apiserver/test_x.py::test_a", "tests/apiserver/test_x.py", Kind.CONTROL_PLANE),
        ("tests/conformance/test_http.py::test_a[ruby]", "tests/conformance/test_http.py", Kind.PLAIN),
        ("tests/conformance/test_http.py::test_a[ruby3.3-x]", "conformance of ruby", Kind.CLUSTER),
    ],
)  # fmt: skip
def test_a_group_is_a_file_unless_its_tests_share_more(node: str, name: str, wanted: Kind) -> None:
    assert (group(node), kind(node)) == (name, wanted)
