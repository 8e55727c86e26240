"""The command line against a cluster that runs Kubeless: what a user types, sees and gets."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubeless_kube.client import Client
from kubeless_kube.resources import AUTOSCALERS
from support.waiting import wait_for

HANDLERS = Path(__file__).resolve().parents[1] / "conformance/handlers"

Kubeless = Callable[..., "subprocess.CompletedProcess[str]"]

ECHO = """\
import time

def handler(event, context):
    request = event["extensions"]["request"]
    print("called with", event["data"], flush=True)
    if request.path == "/boom":
        raise ValueError("boom")
    if request.path == "/sleep":
        time.sleep(30)
    return {
        "data": event["data"].decode() if isinstance(event["data"], bytes) else event["data"],
        "method": request.method,
        "path": request.path,
        "type": event["event-type"],
        "namespace": event["event-namespace"],
    }
"""


@pytest.fixture
def echo(tmp_path: Path) -> list[str]:
    """The flags that deploy a function which answers with what it was sent."""
    path = tmp_path / "echo.py"
    path.write_text(ECHO)
    return ["--runtime", "python3.13", "--handler", "echo.handler", "--from-file", str(path)]


@pytest.fixture
def run(kubeless: Kubeless, namespace: str) -> Kubeless:
    """`kubeless function ...` in a namespace of its own."""

    def run(command: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return kubeless("function", command, "-n", namespace, *arguments, **options)

    return run


def test_deploy_waits_and_ends_with_the_url(run: Kubeless, namespace: str, echo: list[str]) -> None:
    done = run("deploy", "echo", *echo, "--wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"http://echo.{namespace}.")
    assert "Function echo is ready" in done.stderr
    # Nothing changed, nothing to wait for: ready at once.
    assert run("deploy", "echo", *echo, "--wait", "--wait-timeout", "5s").returncode == 0


def test_call_sends_what_it_is_given(run: Kubeless, echo: list[str]) -> None:
    assert run("deploy", "echo", *echo, "--timeout", "1", "--wait").returncode == 0

    got = json.loads(run("call", "echo").stdout)
    assert (got["method"], got["type"]) == ("GET", None)
    assert got["namespace"] == "cli.kubeless.io"

    sent = run("call", "echo", "--data", '{"a": 1}')
    got = json.loads(sent.stdout)
    assert sent.stdout.endswith("\n")
    assert (got["method"], got["data"], got["type"]) == ("POST", {"a": 1}, "application/json")

    got = json.loads(run("call", "echo", "-d", "text", "-X", "PUT", "--path", "/a/b").stdout)
    assert (got["method"], got["data"], got["path"]) == ("PUT", "text", "/a/b")
    assert got["type"] == "application/x-www-form-urlencoded"

    failed = run("call", "echo", "--path", "/boom")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "500 Internal Server Error" in failed.stderr

    late = run("call", "echo", "--path", "/sleep")
    assert (late.returncode, late.stdout) == (1, "")
    assert "Request timeout exceeded" in late.stderr


def test_a_module_that_does_not_load_fails_the_deploy_with_its_error(
    run: Kubeless, tmp_path: Path
) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def handler(event, context) return 1\n")
    flags = ["--runtime", "python3.13", "--handler", "broken.handler", "-f", str(path)]
    done = run("deploy", "broken", *flags, "--wait")
    assert (done.returncode, done.stdout) == (1, "")
    assert "LoadFailed" in done.stderr
    assert "SyntaxError" in done.stderr
    assert "Traceback" not in done.stderr

    called = run("call", "broken")
    assert called.returncode == 1
    assert "not ready. LoadFailed" in called.stderr


def test_an_unknown_runtime_fails_at_once(run: Kubeless, echo: list[str]) -> None:
    done = run("deploy", "echo", *echo, "--runtime", "cobol74", "--wait")
    assert done.returncode == 1
    assert "UnknownRuntime" in done.stderr
    assert "'cobol74'" in done.stderr


def test_a_failed_change_leaves_the_version_before_it_serving(
    run: Kubeless, echo: list[str]
) -> None:
    assert run("deploy", "echo", *echo, "--wait").returncode == 0
    done = run("update", "echo", "--handler", "echo.nosuch", "--wait")
    assert done.returncode == 1
    assert "LoadFailed" in done.stderr
    assert "still serves" in done.stderr
    assert run("call", "echo").returncode == 0


def test_update_changes_only_what_it_says_and_deploy_all(run: Kubeless, echo: list[str]) -> None:
    assert run("deploy", "echo", *echo, "-e", "A=1,B=2", "--memory", "64Mi").returncode == 0
    assert run("update", "echo", "--cpu", "100m", "-l", "team=x").returncode == 0
    changed = json.loads(run("describe", "echo", "-o", "json").stdout)
    assert changed["spec"]["resources"]["requests"] == {"memory": "64Mi", "cpu": "100m"}
    assert [item["name"] for item in changed["spec"]["env"]] == ["A", "B"]
    assert changed["metadata"]["labels"]["team"] == "x"

    assert run("deploy", "echo", *echo, "-e", "B=3").returncode == 0
    replaced = json.loads(run("describe", "echo", "-o", "json").stdout)
    assert replaced["spec"]["env"] == [{"name": "B", "value": "3"}]
    assert "resources" not in replaced["spec"]
    assert "team" not in replaced["metadata"]["labels"]


def test_a_dry_run_is_what_the_cluster_gets(run: Kubeless, echo: list[str]) -> None:
    assert run("deploy", "echo", *echo, "-e", "A=1").returncode == 0
    live = json.loads(run("list", "echo", "-o", "json").stdout)
    printed = run("deploy", "echo", *echo, "-e", "A=1", "--dryrun", "-o", "json")
    spec = json.loads(printed.stdout)["spec"]
    assert spec.items() <= live["spec"].items()


def test_list_and_describe(run: Kubeless, namespace: str, echo: list[str]) -> None:
    assert "No functions found" in run("list").stderr
    assert run("deploy", "echo", *echo, "--wait").returncode == 0
    header, row = run("ls").stdout.splitlines()
    assert header.split() == ["NAME", "NAMESPACE", "HANDLER", "RUNTIME", "DEPENDENCIES", "STATUS"]
    assert row.split() == ["echo", namespace, "echo.handler", "python3.13", "1/1", "READY"]
    page = run("describe", "echo").stdout
    assert f"http://echo.{namespace}." in page
    assert "Serving" in page


def test_logs_show_what_the_function_printed(run: Kubeless, echo: list[str]) -> None:
    assert run("deploy", "echo", *echo, "--wait").returncode == 0
    assert run("call", "echo", "-d", "needle").returncode == 0
    assert "called with b'needle'" in run("logs", "echo").stdout
    absent = run("logs", "echo", "-c", "nosuch")
    assert absent.returncode == 1
    assert "it has echo" in absent.stderr


@pytest.mark.parametrize("command", ["describe", "call", "logs", "update", "delete"])
def test_a_function_that_is_not_there_is_said_with_what_is_near(
    run: Kubeless, echo: list[str], command: str
) -> None:
    assert run("deploy", "echo", *echo).returncode == 0
    done = run(command, "ecko", *(["--timeout", "3"] if command == "update" else []))
    assert done.returncode == 1
    assert "no function 'ecko'" in done.stderr
    assert "Did you mean echo?" in done.stderr


def test_delete_waits_for_the_pods_and_the_name_is_free_again(
    run: Kubeless, echo: list[str]
) -> None:
    assert run("deploy", "echo", *echo, "--wait").returncode == 0
    done = run("delete", "echo", "--wait")
    assert (done.returncode, done.stdout) == (0, "")
    assert run("delete", "echo").returncode == 1
    assert run("delete", "echo", "--ignore-not-found").returncode == 0
    again = run("deploy", "echo", *echo, "--wait")
    assert again.returncode == 0, again.stderr


def test_a_namespace_that_is_not_there_is_said(kubeless: Kubeless, echo: list[str]) -> None:
    done = kubeless("function", "deploy", "echo", *echo, "-n", "no-such-namespace")
    assert done.returncode == 1
    assert "no namespace 'no-such-namespace'" in done.stderr


def test_an_interrupted_wait_ends_with_130(
    kubeless: Kubeless, cluster: dict[str, str], namespace: str, echo: list[str]
) -> None:
    # No node has this label: the wait would last.
    arguments = [*echo, "--node-selectors", "kubeless.io/none=x", "--wait"]
    program = kubeless("version").args[0]
    with subprocess.Popen(
        [program, "function", "deploy", "echo", "-n", namespace, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=cluster,
        # A test run in the background ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Waiting for"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=10) == 130
    assert "Traceback" not in rest


def test_top_counts_calls_and_failures_over_all_pods(run: Kubeless, echo: list[str]) -> None:
    assert run("deploy", "echo", *echo, "--wait").returncode == 0
    header, row = run("top").stdout.splitlines()
    assert header.split()[:4] == ["NAME", "NAMESPACE", "METHOD", "TOTAL_CALLS"]
    assert row.endswith("not called yet")
    for _ in range(3):
        assert run("call", "echo").returncode == 0
    assert run("call", "echo", "--data", "x").returncode == 0
    assert run("call", "echo", "--path", "/boom").returncode == 1
    entries = {entry["method"]: entry for entry in json.loads(run("top", "-o", "json").stdout)}
    assert (entries["GET"]["total_calls"], entries["GET"]["total_failures"]) == (4, 1)
    assert (entries["POST"]["total_calls"], entries["POST"]["total_failures"]) == (1, 0)
    assert 0 < entries["GET"]["p50_seconds"] <= entries["GET"]["p99_seconds"] < 1
    table = run("stats", "echo").stdout
    assert [line.split()[2:5] for line in table.splitlines()[1:]] == [
        ["GET", "4", "1"],
        ["POST", "1", "0"],
    ]
    missing = run("top", "nothing")
    assert missing.returncode == 1
    assert "There is no function 'nothing'" in missing.stderr


def test_an_autoscaler_scales_the_function_and_goes(
    kubeless: Kubeless,
    run: Kubeless,
    client: Client,
    namespace: str,
    echo: list[str],
    gone: Callable[..., bool],
) -> None:
    def autoscale(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return kubeless("autoscale", command, "-n", namespace, *arguments)

    assert run("deploy", "echo", *echo, "--cpu", "50m", "--wait").returncode == 0
    done = autoscale("create", "echo", "--min", "2", "--max", "3", "--value", "70")
    assert done.returncode == 0, done.stderr
    assert "Note" not in done.stderr
    wait_for(lambda: not gone(AUTOSCALERS, "echo"), "the autoscaler is made")
    spec = client.get(AUTOSCALERS, namespace, "echo")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70

    # The fewest pods need no metrics; the cluster looks every 15 s.
    def counts() -> tuple[Any, ...]:
        return tuple(autoscale("list").stdout.splitlines()[1].split()[7:9])

    wait_for(lambda: counts() == ("2", "2"), "the list shows two pods", 90)
    wait_for(lambda: "2/2 READY" in run("list").stdout, "two pods serve", 60)
    assert "2 to 3 pods by cpu 70" in run("describe", "echo").stdout

    # A deploy says nothing of the autoscaler, so it stays.
    assert run("deploy", "echo", *echo, "--cpu", "60m", "--wait").returncode == 0
    assert autoscale("ls").stdout.splitlines()[1].split()[0] == "echo"

    assert autoscale("delete", "echo").returncode == 0
    wait_for(lambda: gone(AUTOSCALERS, "echo"), "the autoscaler is gone")
    assert "No autoscalers found" in autoscale("list").stderr
    assert run("call", "echo").returncode == 0
    assert autoscale("delete", "echo").returncode == 1


def test_the_server_config_names_the_runtimes_that_functions_can_have(
    kubeless: Kubeless, run: Kubeless, echo: list[str]
) -> None:
    config = json.loads(kubeless("get-server-config", "-o", "json").stdout)
    ids = [runtime["id"] for runtime in config["runtimes"]]
    assert "python3.13" in ids
    shown = kubeless("get-server-config")
    assert shown.returncode == 0
    assert f"Supported Runtimes are: {', '.join(ids)}" in shown.stderr
    assert all(runtime["image"] in shown.stdout for runtime in config["runtimes"])
    assert "drainSeconds:" in shown.stdout
    # What it says is what the controller goes by.
    refused = run("deploy", "echo", *echo, "--runtime", "cobol74", "--wait")
    assert all(known in refused.stderr for known in ids)

    absent = kubeless("get-server-config", "--kubeless-namespace", "no-such-namespace")
    assert absent.returncode == 1
    assert (
        "no configuration of a Kubeless controller in namespace 'no-such-namespace'"
        in absent.stderr
    )


@pytest.mark.parametrize(
    ("runtime", "file"),
    [("python3.14", "failures.py"), ("nodejs20", "failures.js"), ("ruby3.3", "failures.rb")],
)
def test_top_reads_the_metrics_of_every_language(run: Kubeless, runtime: str, file: str) -> None:
    flags = ["--runtime", runtime, "--handler", "failures.handler", "-f", str(HANDLERS / file)]
    assert run("deploy", "counted", *flags, "--wait").returncode == 0
    assert run("call", "counted").stdout == "ok\n"
    assert run("call", "counted").returncode == 0
    assert run("call", "counted", "--data", "raise").returncode == 1
    entries = {entry["method"]: entry for entry in json.loads(run("top", "-o", "json").stdout)}
    assert (entries["GET"]["total_calls"], entries["GET"]["total_failures"]) == (2, 0)
    assert (entries["POST"]["total_calls"], entries["POST"]["total_failures"]) == (1, 1)
    for entry in entries.values():
        assert 0 < entry["p50_seconds"] <= entry["p99_seconds"] < 5
