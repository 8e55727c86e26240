"""The configuration file, right and wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubeless_controller.settings import Pace, SettingsError, load

ROW = {"id": "python3.13", "image": "i", "suffix": ".py"}


def test_defaults(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"runtimes": [ROW]}))
    settings = load(file)
    assert settings.runtimes.find("python3.13").image == "i"
    assert (settings.workers, settings.port, settings.drain_seconds) == (8, 8080, 2)


def test_kafka(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"runtimes": [ROW]}))
    assert load(file).kafka.connection == {}
    kafka = {"bootstrapServers": "a:1, b:2", "mechanism": "", "consumerImage": "i", "tls": False}
    file.write_text(json.dumps({"runtimes": [ROW], "kafka": kafka}))
    found = load(file).kafka
    assert found.connection["bootstrapServers"] == "a:1,b:2"
    assert (found.consumer_image, found.image_pull_policy, found.resources) == ("i", "", {})


def test_pace(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    seconds = {"recheckSeconds": 1, "payloadGraceSeconds": 2, "passingSeconds": 3}
    file.write_text(json.dumps({"runtimes": [ROW], "pace": seconds}))
    assert load(file).pace == Pace(1.0, 2.0, asking=3.0, passing=3.0, nudge=5.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is wrong"),
        ({}, "runtimes"),
        ({"runtimes": [{"id": "x"}]}, "image"),
        ({"runtimes": [ROW], "workers": 0}, "workers: found 0, expected 1 or more"),
        ({"runtimes": [ROW], "workers": "many"}, "many"),
        ({"runtimes": [ROW], "logFormat": "xml"}, "logFormat: found 'xml'"),
        (
            {"runtimes": [ROW], "kafka": {"bootstrapServers": "kafka"}},
            "found 'kafka', expected one",
        ),
        ({"runtimes": [ROW], "kafka": {"mechanism": "GSSAPI"}}, "expected one of PLAIN, SCRAM"),
        ({"runtimes": [ROW], "kafka": {"tls": "yes"}}, "kafka.tls: found 'yes'"),
        ({"runtimes": [ROW], "kafka": {"authSecret": 7}}, "kafka.authSecret: found 7"),
        ({"runtimes": [ROW], "kafka": {"resources": "few"}}, "kafka.resources: found 'few'"),
        ({"runtimes": [ROW], "watchNamespaces": "red"}, "watchNamespaces: found 'red'"),
        (
            {"runtimes": [ROW], "pace": {"nudgeSeconds": 0}},
            "pace.nudgeSeconds: found 0, expected more",
        ),
        ({"runtimes": [ROW], "pace": {"askingSeconds": "often"}}, "often"),
        (
            {"runtimes": [ROW], "leaderElection": {"deadlineSeconds": 15}},
            "each must be shorter than the next",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: Any, said: str) -> None:
    file = tmp_path / "config.json"
    if content is not None:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_the_controller_ends_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kubeless_controller", "--config", str(tmp_path / "none")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "cannot be read" in result.stderr
