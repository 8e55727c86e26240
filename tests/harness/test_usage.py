"""The table at the end of a run, by the processes of a test's own."""

from __future__ import annotations

import os
import subprocess
import sys

from support.usage import busy_seconds, children, folder, tree_seconds

BURN = "import time\nwhile time.process_time() < 0.5: pass\n"


def test_what_a_process_started_counts_while_it_runs_and_after_it() -> None:
    before, machine = tree_seconds(os.getpid()), busy_seconds()
    program = f"{BURN}print('burnt', flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.pid in children(os.getpid())
        assert tree_seconds(os.getpid()) - before >= 0.4
        process.communicate(b"\n")
    assert process.pid not in children(os.getpid())
    assert tree_seconds(os.getpid()) - before >= 0.4
    assert busy_seconds() - machine >= 0.4


def test_a_process_that_is_gone_has_used_nothing() -> None:
    assert tree_seconds(2**22 - 1) == 0
    assert children(2**22 - 1) == []


def test_a_test_belongs_to_the_folder_of_its_file() -> None:
    assert folder("tests/e2e/kafka/test_x.py::test_a[a/b]") == "tests/e2e/kafka"
