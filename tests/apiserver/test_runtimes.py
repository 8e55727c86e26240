"""Runtimes are data: a row of the table is all that a runtime of one's own needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import DEPLOYMENTS
from support.controller import Controller, settings
from support.waiting import wait_for

Object = dict[str, Any]
Deploy = Callable[..., Object]
Condition = Callable[..., Object]

COBOL = {
    "id": "cobol2002",
    "image": "registry.example.com/cobol:1",
    "suffix": ".cob",
    "dependencyFile": "copybooks.txt",
    "installImage": "registry.example.com/cobol-install:1",
    "installCommand": ["/usr/bin/fetch", "--all"],
    "aliases": ["cobol85"],
}


def test_a_runtime_of_ones_own(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    controller_process: Controller,
) -> None:
    controller_process.configure(runtimes=[*settings()["runtimes"], COBOL])
    controller_process.start()
    deploy(runtime="cobol85", handler="main.run", deps="payroll\n")
    told = condition("hello", "Accepted", "Valid")
    assert "runtime cobol85 is run by cobol2002" in told["message"]
    pod = client.get(DEPLOYMENTS, namespace, "hello")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == COBOL["image"]
    prepare, install = pod["initContainers"]
    prepared = {entry["name"]: entry.get("value") for entry in prepare["env"]}
    assert prepared["KUBELESS_SOURCE_NAME"] == "main.cob"
    assert (install["image"], install["command"]) == (
        COBOL["installImage"],
        COBOL["installCommand"],
    )
    environment = {entry["name"]: entry.get("value") for entry in install["env"]}
    assert environment["KUBELESS_DEPS_FILE"] == "/kubeless/copybooks.txt"


def test_a_change_of_the_table_rolls_out_to_the_functions_that_use_it(
    client: Client,
    namespace: str,
    deploy: Deploy,
    condition: Condition,
    controller_process: Controller,
) -> None:
    def generation(name: str) -> int:
        found: int = client.get(DEPLOYMENTS, namespace, name)["metadata"]["generation"]
        return found

    def image(name: str) -> str:
        pod = client.get(DEPLOYMENTS, namespace, name)["spec"]["template"]["spec"]
        found: str = pod["containers"][0]["image"]
        return found

    controller = controller_process
    rows = [*settings()["runtimes"], COBOL]
    controller.configure(runtimes=rows)
    process = controller.start()
    deploy("old", runtime="cobol85")
    deploy("new", runtime="cobol2002")
    deploy("other", runtime="python3.13")
    for name in ("old", "new", "other"):
        condition(name, "Accepted", "Valid")
    before = generation("other")
    process.stop()
    rows[-1] = {**COBOL, "image": "registry.example.com/cobol:2"}
    controller.configure(runtimes=rows)
    controller.start()
    for name in ("old", "new"):
        wait_for(lambda name=name: image(name) == "registry.example.com/cobol:2", f"{name} follows")
    assert generation("other") == before
    assert controller.process is not None
    assert "[Function " + namespace + "/other] Deployment other applied" not in (
        controller.process.log.read_text()
    )
