"""Handing fields of an update to the apply that follows."""

from __future__ import annotations

from typing import Any

from kubeless_kube.ownership import needs_upgrade, upgraded


def entry(
    manager: str, operation: str, fields: dict[str, Any], subresource: str = ""
) -> dict[str, Any]:
    result = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "apps/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return {**result, "subresource": subresource} if subresource else result


def test_our_update_becomes_our_apply() -> None:
    entries = [entry("us", "Update", {"f:spec": {"f:a": {}}}), entry("them", "Update", {"f:b": {}})]
    them, us = upgraded(entries, ["us"], "us")
    assert them["manager"] == "them"
    assert (us["operation"], us["fieldsV1"]) == ("Apply", {"f:spec": {"f:a": {}}})
    assert entries[0]["operation"] == "Update"


def test_it_joins_an_apply_that_is_there() -> None:
    entries = [
        entry("us", "Apply", {"f:spec": {"f:a": {}}}),
        entry("old", "Update", {"f:spec": {"f:b": {}}}),
    ]
    (us,) = upgraded(entries, ["us", "old"], "us")
    assert us["fieldsV1"] == {"f:spec": {"f:a": {}, "f:b": {}}}


def test_fields_can_be_left_to_nobody() -> None:
    entries = [entry("us", "Update", {"f:spec": {"f:replicas": {}, "f:a": {}}})]
    (us,) = upgraded(entries, ["us"], "us", keep=lambda fields: fields["f:spec"].pop("f:replicas"))
    assert us["fieldsV1"] == {"f:spec": {"f:a": {}}}


def test_the_status_is_not_ours_to_upgrade() -> None:
    obj = {"metadata": {"managedFields": [entry("us", "Update", {}, "status")]}}
    assert not needs_upgrade(obj, ["us"])
    obj["metadata"]["managedFields"].append(entry("us", "Update", {}))
    assert needs_upgrade(obj, ["us"])
