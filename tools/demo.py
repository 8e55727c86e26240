"""Deploys the examples into the local cluster and calls them, showing what is typed and what comes back."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from up import ROOT, gateway_facts, local_environment, output

EXAMPLES = ROOT / "examples"
NAMESPACE = "kubeless-demo"
# A minute, and what a pod takes on a busy machine.
FIRING_SECONDS = 120.0
TOPIC = "greetings"
RECORD_SECONDS = 60.0


def main() -> int:
    """Deploy and call every example; returns 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default=NAMESPACE, help=f"default: {NAMESPACE}")
    namespace: str = parser.parse_args().namespace
    environment = {**local_environment(), "COLUMNS": "120"}
    make_namespace(namespace, environment)
    os.chdir(EXAMPLES)
    started = time.monotonic()
    wrong: list[str] = []
    scheduled = []
    for example in yaml.safe_load(Path("calls.yaml").read_text()):
        print()
        if not deploy(example, namespace, environment):
            wrong.append(f"{example['name']} was not deployed")
            continue
        if example.get("scheduled"):
            scheduled.append(example)
        else:
            wrong += call(example, namespace, environment)
    print()
    wrong += through_the_gateway(namespace, environment)
    print()
    wrong += with_a_record(namespace, environment)
    print()
    for example in scheduled:
        wrong += await_schedule(example["name"], namespace, environment)
        wrong += call(example, namespace, environment)
    print()
    typed(["kubeless", "function", "list", "-n", namespace], environment)
    typed(["kubectl", "get", "functions", "-n", namespace], environment)
    typed(["kubectl", "get", "cronjobtriggers", "-n", namespace], environment)
    typed(["kubectl", "get", "kafkatriggers", "-n", namespace], environment)
    print()
    for message in wrong:
        print(f"demo: {message}", file=sys.stderr)
    if wrong:
        return 1
    print(f"demo: every answer is right ({time.monotonic() - started:.0f} s)")
    print('Go on in your own shell:  eval "$(make -s env)"')
    print("Remove everything:        make down")
    return 0


def through_the_gateway(namespace: str, environment: dict[str, str]) -> list[str]:
    """Call one example by a host name, from outside of the cluster; what is wrong with the answer."""
    gateway = gateway_facts()
    parent = gateway["parentRef"]
    host = f"{namespace}.example.test"
    command = ["kubeless", "trigger", "http", "create", "request", "--function-name", "request"]
    command += ["--hostname", host, "--path", "/api", "--wait", "-n", namespace]
    command += ["--parent-ref", f"{parent['namespace']}/{parent['name']}"]
    if typed(command, environment) is None:
        return ["the HTTP trigger was not made"]
    address = f"http://{gateway['address']}/api/orders?greeting=hi"
    calling = ["curl", "--silent", "--show-error", "--retry", "5", "--retry-all-errors"]
    answer = typed([*calling, "--header", f"Host: {host}", address], environment)
    expected = "GET /orders greeting=hi"
    return [] if answer == expected else [f"{host} answered {answer!r}, expected {expected!r}"]


def with_a_record(namespace: str, environment: dict[str, str]) -> list[str]:
    """Publish a record, and see that its function heard it; what is wrong."""
    topics = typed(["kubeless", "topic", "list"], environment)
    if topics is None:
        return ["the topics could not be listed"]
    if TOPIC not in topics.split():
        typed(["kubeless", "topic", "create", TOPIC], environment)
    if not deploy({"name": "listen", "apply": "kafka.yaml"}, namespace, environment):
        return ["the function of the Kafka trigger was not deployed"]
    waiting = ["kubectl", "wait", "--for=condition=Ready", "kafkatrigger/listen", "--timeout=120s"]
    if typed([*waiting, "-n", namespace], environment) is None:
        return ["the Kafka trigger is not ready"]
    said = f"hello from {namespace}"
    publish = ["kubeless", "topic", "publish", "--topic", TOPIC, "--data", said]
    if typed(publish, environment) is None:
        return ["the record was not published"]
    call = ["kubeless", "function", "call", "listen", "-n", namespace]
    deadline = time.monotonic() + RECORD_SECONDS
    while (heard := output(call, environment)) != said:
        if time.monotonic() > deadline:
            return [f"listen heard {heard!r}, expected {said!r}"]
        time.sleep(0.5)
    typed(call, environment)
    return []


def make_namespace(name: str, environment: dict[str, str]) -> None:
    """The demo's namespace, in which only hardened pods may run."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--filename", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).encode(),
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def deploy(example: dict[str, Any], namespace: str, environment: dict[str, str]) -> bool:
    """Get one example into the cluster and wait until it is ready."""
    name = example["name"]
    if "apply" not in example:
        command = ["kubeless", "function", "deploy", name, *example["deploy"], "--wait"]
        return typed([*command, "-n", namespace], environment) is not None
    applied = typed(["kubectl", "apply", "-f", example["apply"], "-n", namespace], environment)
    waiting = ["kubectl", "wait", "--for=condition=Ready", f"function/{name}", "--timeout=120s"]
    return applied is not None and typed([*waiting, "-n", namespace], environment) is not None


def await_schedule(name: str, namespace: str, environment: dict[str, str]) -> list[str]:
    """Wait until an example's schedule calls it, from now on; what went wrong."""
    show = ["kubectl", "get", "cronjobtrigger", name, "-n", namespace]
    fields = "--output=jsonpath={.status.lastResult} {.status.lastFiringTime}"

    def look() -> str:
        return subprocess.run(
            [*show, fields], env=environment, stdout=subprocess.PIPE, text=True, check=False
        ).stdout

    print(f"Waiting for the next minute, in which {name} is called ...", flush=True)
    before, deadline = look().strip(), time.monotonic() + FIRING_SECONDS
    while (now := look().strip()) == before or not now.startswith("Succeeded"):
        if time.monotonic() > deadline:
            return [f"{name} was not called by its schedule: {now or 'it never fired'}"]
        time.sleep(1)
    typed(show, environment)
    return []


def call(example: dict[str, Any], namespace: str, environment: dict[str, str]) -> list[str]:
    """Call one example; what is wrong with its answers."""
    wrong = []
    for one in example["calls"]:
        command = ["kubeless", "function", "call", example["name"], *one["arguments"]]
        answer = typed([*command, "-n", namespace], environment)
        if not same(answer, one["answer"]):
            wrong.append(f"{example['name']} answered {answer!r}, expected {one['answer']!r}")
    return wrong


def typed(command: list[str], environment: dict[str, str]) -> str | None:
    """Show a command, run it and show its output; returns the output, or None when it failed."""
    print(f"$ {shlex.join(command)}", flush=True)
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    print(result.stdout, end="", flush=True)
    return result.stdout.strip() if result.returncode == 0 else None


def same(answer: str | None, expected: str) -> bool:
    """Compare answers, as JSON values where both are JSON."""
    if answer == expected:
        return True
    try:
        return bool(json.loads(answer or "") == json.loads(expected))
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
