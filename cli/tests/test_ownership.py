"""Which fields a deploy may remove."""

from __future__ import annotations

from typing import Any

from kubeless_cli.ownership import adopt


def entry(manager: str, operation: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def test_our_updates_become_part_of_our_apply() -> None:
    managed = [
        entry("kubeless-cli", "Apply", {"f:spec": {"f:runtime": {}}}),
        entry("kubeless-cli", "Update", {"f:spec": {"f:timeout": {}}}),
    ]
    assert adopt(managed) == [
        entry("kubeless-cli", "Apply", {"f:spec": {"f:runtime": {}, "f:timeout": {}}})
    ]


def test_what_the_original_wrote_is_ours() -> None:
    managed = [entry("kubeless", "Update", {"f:spec": {"f:deployment": {}}}, time="t")]
    adopted = [entry("kubeless-cli", "Apply", {"f:spec": {"f:deployment": {}}}, time="t")]
    assert adopt(managed) == adopted


def test_others_keep_what_is_theirs() -> None:
    others = [
        entry("kubectl-client-side-apply", "Update", {"f:spec": {"f:env": {}}}),
        entry("kubeless-controller", "Update", {"f:status": {}}, subresource="status"),
        entry("kubeless", "Update", {"f:status": {}}, subresource="status"),
    ]
    ours = entry("kubeless-cli", "Update", {"f:spec": {}})
    assert adopt([*others, ours]) == [entry("kubeless-cli", "Apply", {"f:spec": {}}), *others]
    assert adopt(others) is None


def test_nothing_to_do_for_what_we_only_applied() -> None:
    assert adopt([entry("kubeless-cli", "Apply", {})]) is None


def test_an_autoscaler_is_never_among_what_a_deploy_may_remove() -> None:
    fields = {"f:spec": {"f:timeout": {}, "f:horizontalPodAutoscaler": {"f:spec": {}}}}
    for writer in ("kubeless-cli", "kubeless"):
        managed = [entry(writer, "Update", fields)]
        assert adopt(managed) == [entry("kubeless-cli", "Apply", {"f:spec": {"f:timeout": {}}})]
