"""The rendered chart and the examples against the schemas of a real API server, and chart-testing's own lint."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import schemas
from support.control_plane import CRDS, ROOT, ControlPlane, programs
from support.helm import template

pytestmark = pytest.mark.slow
Object = dict[str, Any]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the schema of every kind, the chart's own among them."""
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        client = plane.client()
        definitions = [one for one in template() if one["kind"] == CRDS.kind]
        for definition in definitions:
            client.apply(CRDS, definition, manager="test")
        folder = tmp_path_factory.mktemp("schemas")
        schemas.write(client, folder, definitions)
        yield folder
    finally:
        plane.stop()


def kubeconform(known: Path, manifest: str) -> subprocess.CompletedProcess[str]:
    location = f"{known}/{schemas.LOCATION}"
    return subprocess.run(
        [programs() / "kubeconform", "-strict", "-summary", "-schema-location", location, "-"],
        input=manifest,
        capture_output=True,
        text=True,
        check=False,
    )


SECURE_KAFKA = {"replicas": 3, "auth": {"enabled": True}, "tls": {"enabled": True}}


@pytest.mark.parametrize("values", [{}, {"kafka": SECURE_KAFKA}])
def test_everything_that_is_rendered_is_valid(known: Path, values: Object) -> None:
    documents = template(values)
    result = kubeconform(known, yaml.safe_dump_all(documents))
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Valid: {len(documents)}, Invalid: 0, Errors: 0, Skipped: 0" in result.stdout


@pytest.mark.parametrize("file", ["greet.yaml", "legacy.yaml", "tick.yaml"])
def test_the_examples_are_valid(known: Path, file: str) -> None:
    result = kubeconform(known, (ROOT / "examples" / file).read_text())
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Valid: 1" in result.stdout


def test_a_field_that_does_not_exist_is_found(known: Path) -> None:
    function = yaml.safe_load((ROOT / "examples/greet.yaml").read_text())
    function["spec"]["handlr"] = "x"
    result = kubeconform(known, yaml.safe_dump(function))
    assert result.returncode != 0
    assert "handlr" in result.stdout


def test_chart_testing_lint() -> None:
    environment = {
        **os.environ,
        # ct calls helm, yamllint and yamale.
        "PATH": f"{programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    result = subprocess.run(
        ["ct", "lint", "--config", "ct.yaml", "--all"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
