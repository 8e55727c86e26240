"""From flags to a Function, and from a Function and flags to a changed one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from kubeless_cli.app import root
from kubeless_cli.flags import Wish
from kubeless_cli.manifest import build, change
from kubeless_cli.source import from_bytes

SOURCE = from_bytes(b"def handler(event, context):\n    return 'hi'\n", "hello.py")

# As the original's command line wrote it, every zero value included.
LEGACY: dict[str, Any] = {
    "apiVersion": "kubeless.io/v1beta1",
    "kind": "Function",
    "metadata": {"name": "old", "namespace": "default", "labels": {"function": "old"}},
    "spec": {
        "checksum": "",
        "deps": "",
        "function": "x = 1",
        "handler": "old.handler",
        "runtime": "python3.7",
        "timeout": "180",
        "deployment": {
            "metadata": {"creationTimestamp": None},
            "spec": {
                "selector": None,
                "strategy": {},
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "name": "",
                                "imagePullPolicy": "Always",
                                "env": [{"name": "A", "value": "1"}],
                                "resources": {
                                    "limits": {"memory": "64Mi", "cpu": "0"},
                                    "requests": {"memory": "64Mi", "cpu": "0"},
                                },
                            }
                        ],
                        "volumes": [{"name": "s-vol", "secret": {"secretName": "s"}}],
                    }
                },
            },
        },
        "service": {
            "ports": [
                {"name": "http-function-port", "port": 80, "targetPort": 8080, "protocol": "TCP"}
            ],
            "type": "ClusterIP",
        },
    },
}


def spec(**flags: Any) -> dict[str, Any]:
    found: dict[str, Any] = build("hello", None, Wish(**flags), None, None)["spec"]
    return found


def changed(**flags: Any) -> dict[str, Any]:
    found: dict[str, Any] = change(LEGACY, Wish(**flags), None, None)["spec"]
    return found


def test_a_plain_deploy_is_a_clean_manifest() -> None:
    wish = Wish(runtime="python3.13", handler="hello.handler")
    assert build("hello", "apps", wish, SOURCE, None) == {
        "apiVersion": "kubeless.io/v1beta1",
        "kind": "Function",
        "metadata": {
            "name": "hello",
            "namespace": "apps",
            "labels": {"created-by": "kubeless", "function": "hello"},
        },
        "spec": {
            "runtime": "python3.13",
            "handler": "hello.handler",
            "function-content-type": "text",
            "function": SOURCE.content,
            "checksum": SOURCE.checksum,
        },
    }


def test_flags_go_to_the_functions_own_fields() -> None:
    assert spec(
        env={"A": "1", "B": ""},
        secrets=("s", "t"),
        service_account="runner",
        runtime_image="img:1",
        timeout="30",
        memory="64Mi",
        cpu="100m",
    ) == {
        "timeout": "30",
        "image": "img:1",
        "serviceAccountName": "runner",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}],
        "secrets": ["s", "t"],
        "resources": {
            "requests": {"memory": "64Mi", "cpu": "100m"},
            "limits": {"memory": "64Mi", "cpu": "100m"},
        },
    }


def test_what_has_no_field_goes_into_the_deployment() -> None:
    assert spec(node_selectors={"disk": "ssd", "gpu": ""}, image_pull_policy="Always") == {
        "deployment": {
            "spec": {
                "template": {
                    "spec": {
                        "containers": [{"imagePullPolicy": "Always"}],
                        "nodeSelector": {"disk": "ssd", "gpu": ""},
                    }
                }
            }
        }
    }


@pytest.mark.parametrize(
    ("flags", "port", "target"),
    [
        ({"port": 9000}, 9000, 9000),
        ({"service_port": 80}, 80, 8080),
        ({"port": 9000, "service_port": 80}, 80, 9000),
    ],
)
def test_ports(flags: dict[str, int], port: int, target: int) -> None:
    expected = {"name": "http-function-port", "port": port, "targetPort": target, "protocol": "TCP"}
    assert spec(**flags) == {"service": {"ports": [expected]}}


def test_headless_has_no_address_and_keeps_its_port() -> None:
    service = spec(headless=True)["service"]
    assert service["clusterIP"] == "None"
    assert service["ports"][0]["port"] == 8080


def test_dependencies_are_taken_as_they_are() -> None:
    assert build("hello", None, Wish(), None, "flask\n")["spec"] == {"deps": "flask\n"}


def test_no_checksum_when_none_is_wanted() -> None:
    manifest = build("hello", None, Wish(checksum="none"), SOURCE, None)
    assert "checksum" not in manifest["spec"]


def test_an_update_changes_what_the_flags_say_and_nothing_else() -> None:
    before = copy.deepcopy(LEGACY)
    after = change(LEGACY, Wish(timeout="30"), None, None)
    assert before == LEGACY
    assert after == LEGACY | {"spec": LEGACY["spec"] | {"timeout": "30"}}


def test_an_update_of_the_source_brings_its_type_and_checksum() -> None:
    brought = {
        "function": SOURCE.content,
        "function-content-type": "text",
        "checksum": SOURCE.checksum,
    }
    after = change(LEGACY, Wish(), SOURCE, None)
    assert after == LEGACY | {"spec": LEGACY["spec"] | brought}


def test_env_replaces_and_leaves_its_old_place() -> None:
    after = changed(env={"B": "2"})
    assert after["env"] == [{"name": "B", "value": "2"}]
    pod = after["deployment"]["spec"]["template"]["spec"]
    assert "env" not in pod["containers"][0]
    assert pod["containers"][0]["imagePullPolicy"] == "Always"
    assert pod["volumes"] == LEGACY["spec"]["deployment"]["spec"]["template"]["spec"]["volumes"]


def test_one_amount_keeps_the_other_from_its_old_place() -> None:
    after = changed(cpu="100m")
    amounts = {"memory": "64Mi", "cpu": "100m"}
    assert after["resources"] == {"requests": amounts, "limits": amounts}
    container = after["deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert "resources" not in container


def test_a_port_change_keeps_the_rest_of_the_service() -> None:
    service = changed(service_port=81)["service"]
    assert service["type"] == "ClusterIP"
    assert (service["ports"][0]["port"], service["ports"][0]["targetPort"]) == (81, 8080)


def test_labels_and_secrets_add_and_the_empty_value_removes() -> None:
    labelled = change(LEGACY, Wish(label={"a": "1"}), None, None)
    assert labelled["metadata"]["labels"] == {"function": "old", "a": "1"}
    cleared = change(labelled, Wish(label={}), None, None)
    assert cleared["metadata"]["labels"] == {"function": "old"}
    with_secret = change(LEGACY, Wish(secrets=("s",)), None, None)
    both = change(with_secret, Wish(secrets=("t", "s")), None, None)
    assert both["spec"]["secrets"] == ["s", "t"]
    assert "secrets" not in change(both, Wish(secrets=()), None, None)["spec"]


def test_a_schedule_brings_its_type_and_takes_it_along() -> None:
    assert spec(schedule="@hourly") == {"type": "Scheduled", "schedule": "@hourly"}
    with_schedule = change(LEGACY, Wish(schedule="* * * * *"), None, None)
    assert with_schedule["spec"] == LEGACY["spec"] | {"type": "Scheduled", "schedule": "* * * * *"}
    assert change(with_schedule, Wish(schedule=""), None, None) == LEGACY
    other = LEGACY | {"spec": LEGACY["spec"] | {"type": "HTTP"}}
    assert change(other, Wish(schedule=""), None, None) == other


@pytest.mark.parametrize("field", ["runtime", "handler", "timeout"])
def test_the_empty_value_takes_a_field_away(field: str) -> None:
    assert field not in changed(**{field: ""})


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_dryrun_prints_what_apply_takes_without_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nosuch"))
    path = tmp_path / "hello.py"
    path.write_bytes(SOURCE.content.encode())
    arguments = ["--runtime", "python3.13", "--handler", "hello.handler", "-f", str(path)]
    result = CliRunner().invoke(
        root, ["function", "deploy", "hello", *arguments, "--dryrun", "-o", form]
    )
    assert result.exit_code == 0
    loaded = yaml.safe_load(result.stdout) if form == "yaml" else json.loads(result.stdout)
    wish = Wish(runtime="python3.13", handler="hello.handler")
    assert loaded == build("hello", None, wish, SOURCE, None)
    assert form == "json" or "function: |\n" in result.stdout


def test_source_may_come_from_standard_input() -> None:
    result = CliRunner().invoke(
        root,
        [
            "function",
            "deploy",
            "x",
            "--runtime",
            "r",
            "--handler",
            "a.b",
            "-f",
            "-",
            "--dryrun",
            "-o",
            "json",
        ],
        input="x = 1\n",
    )
    assert json.loads(result.stdout)["spec"]["function"] == "x = 1\n"
