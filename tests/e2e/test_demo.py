"""What `make demo` shows: every example deployed and called, the same function in three languages among them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from support.control_plane import ROOT

RUNTIMES = ("python3", "nodejs", "ruby")


@pytest.mark.usefixtures("gateway")
def test_every_example_answers_what_it_should(namespace: str) -> None:
    demo = [sys.executable, ROOT / "tools/demo.py", "--namespace", namespace]
    done = subprocess.run(demo, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo: every answer is right" in done.stdout
    assert f"Host: {namespace}.example.test" in done.stdout
    for runtime in RUNTIMES:
        assert f" {runtime}" in done.stdout  # in the table of functions


@pytest.mark.parametrize("language", ["node", "python", "ruby"])
def test_the_same_function_is_there_in_three_languages(language: str) -> None:
    examples = yaml.safe_load((ROOT / "examples/calls.yaml").read_text())
    orders = [one for one in examples if one["name"].startswith("order")]
    calls = [
        (call["arguments"], yaml.safe_load(call["answer"]))
        for one in orders
        for call in one["calls"]
    ]
    assert len(orders) == 3
    assert all(call == calls[0] for call in calls)
    manifest = yaml.safe_load((ROOT / f"examples/{language}/order.yaml").read_text())
    assert manifest["metadata"]["name"] == f"order-{language}"
