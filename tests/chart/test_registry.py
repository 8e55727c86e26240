"""`make up REGISTRY=...`: every image of the chart, its dependency's too, comes from there."""

from __future__ import annotations

import importlib.util
import re

from support.control_plane import ROOT
from support.helm import CHART, helm


def test_all_images_come_from_the_registry_that_is_told() -> None:
    spec = importlib.util.spec_from_file_location("up", ROOT / "tools/up.py")
    assert spec is not None
    assert spec.loader is not None
    up = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(up)
    registry = "registry.example.com/team"
    secure = ["--set", "kafka.auth.enabled=true"]
    result = helm("template", "kubeless", CHART, *secure, *up.registry_options(registry))
    assert result.returncode == 0, result.stderr
    images = set(re.findall(r'"?[iI]mage"?: "?([^",\s]+)', result.stdout))
    assert any("/kafka:" in image for image in images)
    assert any("/kafka-trigger:" in image for image in images)
    assert {image for image in images if not image.startswith(f"{registry}/")} == set()
