"""Generated specs against the real API server: what is valid works, what is not never breaks anything."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kubeless_api.errors import SpecError
from kubeless_controller.reconcile.caches import FUNCTIONS
from kubeless_kube.client import Client
from kubeless_kube.errors import BadRequest, Invalid
from kubeless_kube.resources import AUTOSCALERS, CONFIGMAPS, DEPLOYMENTS, SERVICES
from support.controller import Controller
from support.functions import manifest
from support.specs import any_specs, valid_specs
from support.waiting import wait_for
from support.world import accepted, wanted

Object = dict[str, Any]
GENERATED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def function(namespace: str, name: str, spec: Object) -> Object:
    made = manifest(namespace, name)
    made["spec"] = spec
    return made


@GENERATED
@given(spec=valid_specs("hello"))
def test_a_valid_spec_is_taken_as_are_all_its_children(
    client: Client, namespace: str, spec: Object
) -> None:
    made = client.create(FUNCTIONS, function(namespace, "hello", spec), dry_run=True)
    children = wanted(made)
    for resource, child in (
        (CONFIGMAPS, children.config_map),
        (SERVICES, children.service),
        (DEPLOYMENTS, children.deployment),
        (AUTOSCALERS, children.autoscaler),
    ):
        if child is not None:
            client.create(resource, child, dry_run=True)


@pytest.mark.timeout(300)
def test_no_spec_breaks_the_controller_and_nothing_is_written_twice(
    client: Client, namespace: str, controller_process: Controller
) -> None:
    controller = controller_process
    # What the API server refuses is tried again and again; between, nothing is to be done.
    controller.configure(pace={})
    controller.start()
    applied: dict[str, Object] = {}

    @GENERATED
    @given(spec=any_specs("hello") | valid_specs("hello"))
    def apply(spec: Object) -> None:
        name = f"f{len(applied)}"
        if "horizontalPodAutoscaler" in spec:
            spec = {key: spec[key] for key in spec if key != "horizontalPodAutoscaler"}
        with contextlib.suppress(Invalid, BadRequest):
            applied[name] = client.create(FUNCTIONS, function(namespace, name, spec))

    apply()
    assert len(applied) > 20
    wait_for(lambda: len(told(client, namespace)) == len(applied), "each has a status", 60)
    wait_for(controller.settled, "the controller has nothing to do", 60)
    built = {item["metadata"]["name"] for item in told(client, namespace) if accepted(item)}
    assert len(built) > 10
    for name, made in applied.items():
        try:
            wanted(made)
        except SpecError:
            assert name not in built
    assert controller.process is not None
    assert "Traceback" not in controller.process.log.read_text()
    before = made_or_applied(controller)
    for name in applied:
        note = {"metadata": {"annotations": {"note": "look again"}}}
        client.patch(FUNCTIONS, namespace, name, note)
    wait_for(controller.settled, "the controller has nothing to do", 60)
    assert made_or_applied(controller) == before


def made_or_applied(controller: Controller) -> list[str]:
    """The log's lines about writes to children; a status may still change with the pods."""
    assert controller.process is not None
    lines = controller.process.log.read_text().splitlines()
    return [line for line in lines if line.endswith(" created") or " applied, for " in line]


def told(client: Client, namespace: str) -> list[Object]:
    items = client.list(FUNCTIONS, namespace)["items"]
    return [item for item in items if (item.get("status") or {}).get("conditions")]
