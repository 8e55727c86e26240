"""Rendering the chart as a user's helm does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from support.control_plane import ROOT, programs

CHART = ROOT / "charts/kubeless"
KAFKA = ROOT / "charts/kafka"
Object = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run helm; stdout and stderr are kept apart."""
    return subprocess.run(
        [programs() / "helm", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )


def template(
    values: Object | None = None, name: str = "kubeless", chart: Path = CHART
) -> list[Object]:
    """All objects of the chart with these values; fails with helm's message."""
    result = _template(values or {}, name, chart)
    assert result.returncode == 0, result.stderr
    # The loader in C: the definitions alone take the other one most of a second.
    documents = yaml.load_all(result.stdout, Loader=yaml.CSafeLoader)
    return [document for document in documents if document]


def refusal(values: Object, chart: Path = CHART) -> str:
    """What helm says when it refuses these values; fails when it does not."""
    result = _template(values, "kubeless", chart)
    assert result.returncode != 0, "helm took these values"
    return result.stderr


def _template(values: Object, name: str, chart: Path) -> subprocess.CompletedProcess[str]:
    arguments = [name, chart, "--namespace", "kubeless"]
    for key, value in values.items():
        arguments += ["--set-json", f"{key}={json.dumps(value)}"]
    return helm("template", *arguments)


def one(objects: list[Object], kind: str) -> Object:
    """The only object of a kind."""
    (found,) = (entry for entry in objects if entry["kind"] == kind)
    return found
