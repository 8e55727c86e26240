"""What the chart renders, and which values it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from support.helm import CHART, helm, one, refusal, template

Object = dict[str, Any]


def config(values: Object | None = None) -> Object:
    found: Object = json.loads(
        one(
            [o for o in template(values) if o["metadata"]["name"].endswith("-controller")],
            "ConfigMap",
        )["data"]["config.json"]
    )
    return found


def pod(values: Object | None = None) -> Object:
    found: Object = one(template(values), "Deployment")["spec"]["template"]
    return found


def leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict) and value:
        return [leaf for key, below in value.items() for leaf in leaves(below, f"{path}.{key}")]
    return [path.lstrip(".")]


def test_helm_lint_has_nothing_to_say() -> None:
    result = helm("lint", "--strict", CHART)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_table_of_runtimes_reaches_the_controller() -> None:
    table = yaml.safe_load((CHART / "files/runtimes.yaml").read_text())
    rendered = config()["runtimes"]
    assert [row["id"] for row in rendered] == [row["id"] for row in table]
    first = rendered[0]
    assert first["image"] == f"localhost/kubeless/{table[0]['image']}:0.1.0"
    assert first["aliases"] == table[0]["aliases"]


def test_a_runtime_of_ones_own_one_changed_and_one_taken_out() -> None:
    rows = config(
        {
            "runtimes": {
                "cobol2002": {"image": "registry.example.com/cobol:1", "suffix": ".cob"},
                "python3.13": {"image": "registry.example.com/python:1"},
                "python3.14": {"enabled": False},
            }
        }
    )["runtimes"]
    by_id = {row["id"]: row for row in rows}
    assert by_id["cobol2002"] == {
        "id": "cobol2002",
        "image": "registry.example.com/cobol:1",
        "installImage": "",
        "installCommand": [],
        "suffix": ".cob",
        "dependencyFile": "",
        "aliases": [],
    }
    assert by_id["python3.13"]["image"] == "registry.example.com/python:1"
    assert by_id["python3.13"]["suffix"] == ".py"
    assert "python3.14" not in by_id


def test_images_come_from_one_registry_with_tags_by_name() -> None:
    images = {"registry": "registry.example.com/team", "tag": "2", "tags": {"controller": "3"}}
    values = {"images": images}
    assert pod(values)["spec"]["containers"][0]["image"] == "registry.example.com/team/controller:3"
    assert config(values)["runtimes"][0]["image"] == "registry.example.com/team/python3.13:2"


def test_the_controllers_pod_is_restricted() -> None:
    spec = pod()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_change_of_the_configuration_restarts_the_controller() -> None:
    def checksum(values: Object) -> str:
        found: str = pod(values)["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum({}) == checksum({})
    assert checksum({}) != checksum({"functions": {"drainSeconds": 9}})


def roles(values: Object | None = None) -> dict[tuple[str, str, str], Object]:
    """All roles by kind, namespace and name."""
    return {
        (entry["kind"], entry["metadata"].get("namespace", ""), entry["metadata"]["name"]): entry
        for entry in template(values)
        if entry["kind"].endswith("Role")
    }


def test_no_role_has_wildcards_or_reads_secrets() -> None:
    for role in roles().values():
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert "secrets" not in rule["resources"]


def test_the_controller_has_a_role_for_the_cluster_or_one_in_each_namespace() -> None:
    leader = ("Role", "kubeless", "kubeless-leader")
    users = [
        ("ClusterRole", "", "kubeless-edit"),
        ("ClusterRole", "", "kubeless-view"),
        ("Role", "kubeless", "kubeless-kafka-admin"),
    ]
    everywhere = roles()
    assert set(everywhere) == {("ClusterRole", "", "kubeless-controller"), leader, *users}
    some = roles({"watchNamespaces": ["red", "blue"]})
    own = [("Role", name, "kubeless-controller") for name in ("red", "blue")]
    assert set(some) == {*own, leader, *users}
    for key in own:
        assert some[key]["rules"] == everywhere["ClusterRole", "", "kubeless-controller"]["rules"]
    bindings = [
        (entry["metadata"]["namespace"], entry["roleRef"]["name"])
        for entry in template({"watchNamespaces": ["red", "blue"]})
        if entry["kind"] == "RoleBinding"
    ]
    assert ("red", "kubeless-controller") in bindings
    assert ("blue", "kubeless-controller") in bindings
    assert config({"watchNamespaces": ["red", "blue"]})["watchNamespaces"] == ["red", "blue"]


def test_the_lease_that_the_role_names_is_the_one_that_the_controller_takes() -> None:
    values = {"fullnameOverride": "other"}
    role = roles(values)["Role", "kubeless", "other-leader"]
    (named,) = [rule["resourceNames"] for rule in role["rules"] if "resourceNames" in rule]
    election = config(values)["leaderElection"]
    assert named == [election["name"]]
    assert election["namespace"] == "kubeless"


def test_roles_for_people_are_taken_in_by_the_clusters_own_unless_told() -> None:
    def aggregated(values: Object) -> set[str]:
        return {
            label
            for (_, _, name), role in roles(values).items()
            if name.endswith(("-edit", "-view"))
            for label in role["metadata"]["labels"]
            if label.startswith("rbac.authorization.k8s.io/")
        }

    assert aggregated({}) == {
        f"rbac.authorization.k8s.io/aggregate-to-{role}" for role in ("admin", "edit", "view")
    }
    assert aggregated({"rbac": {"aggregate": False}}) == set()
    names = {name for _, _, name in roles({"rbac": {"userRoles": False}})}
    assert names == {"kubeless-controller", "kubeless-leader"}


def test_the_role_for_kafka_lets_make_pods_and_is_bound_to_nobody() -> None:
    rules = roles()["Role", "kubeless", "kubeless-kafka-admin"]["rules"]
    allowed = {
        (name, verb) for rule in rules for name in rule["resources"] for verb in rule["verbs"]
    }
    assert {("pods", "create"), ("pods", "delete"), ("pods/attach", "create")} <= allowed
    bound = {e["roleRef"]["name"] for e in template() if e["kind"].endswith("RoleBinding")}
    assert "kubeless-kafka-admin" not in bound


def test_several_replicas_keep_off_each_other_and_may_be_drained_one_by_one() -> None:
    objects = template()
    assert one(objects, "Deployment")["spec"]["replicas"] == 2
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "podAntiAffinity" in pod()["spec"]["affinity"]
    mine = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    assert pod({"controller": {"affinity": mine}})["spec"]["affinity"] == mine
    kinds = {entry["kind"] for entry in template({"controller": {"replicas": 1}})}
    assert "PodDisruptionBudget" not in kinds


@pytest.mark.parametrize("keep", [True, False])
def test_crds_are_kept_on_uninstall_unless_told(keep: bool) -> None:
    rendered = template({"crds": {"keep": keep}})
    crds = [one for one in rendered if one["kind"] == "CustomResourceDefinition"]
    policies = {crd["metadata"]["annotations"].get("helm.sh/resource-policy") for crd in crds}
    assert len(crds) == len(list((CHART / "files/crds").iterdir()))
    assert policies == {"keep" if keep else None}


def test_people_may_write_triggers_and_nobody_their_status() -> None:
    for name, verb in (("kubeless-edit", "create"), ("kubeless-view", "watch")):
        rules = roles()["ClusterRole", "", name]["rules"]
        assert any(
            "cronjobtriggers" in rule["resources"] and verb in rule["verbs"] for rule in rules
        )
        for rule in rules:
            if "cronjobtriggers/status" in rule["resources"]:
                assert not {"create", "update", "patch"} & set(rule["verbs"])


def test_crds_can_be_left_to_others() -> None:
    kinds = {entry["kind"] for entry in template({"crds": {"enabled": False}})}
    assert "CustomResourceDefinition" not in kinds


def test_every_object_has_the_standard_labels_and_its_namespace() -> None:
    for entry in template(name="other"):
        labels = entry["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "other"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        if entry["kind"] not in ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"):
            assert entry["metadata"]["namespace"] == "kubeless"


def test_without_the_charts_own_account_and_role() -> None:
    objects = template(
        {"serviceAccount": {"create": False, "name": "mine"}, "rbac": {"create": False}}
    )
    kinds = {entry["kind"] for entry in objects}
    assert not kinds & {"ServiceAccount", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert one(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "mine"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"serviceAccount": {"create": False}}, "name the service account"),
        ({"runtimes": {"cobol": {"image": "x/y:1"}}}, "needs an image and a suffix"),
        ({"runtimes": {"cobol": {"image": "x/y:1", "suffix": "cob"}}}, "suffix"),
        ({"images": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
        ({"images": {"registry": ""}}, "registry"),
        ({"controller": {"workers": 0}}, "workers"),
        ({"controller": {"wrokers": 3}}, "wrokers"),
        ({"controller": {"leaderElection": {"deadlineSeconds": 20}}}, "shorter than the next"),
        ({"watchNamespaces": ["Red"]}, "watchNamespaces"),
        ({"controller": {"podLabels": {"app.kubernetes.io/instance": "x"}}}, "must not set"),
        ({"typo": 1}, "typo"),
    ],
)
def test_values_that_cannot_work_are_refused(values: Object, message: str) -> None:
    assert message in refusal(values)


def test_every_value_is_documented_and_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    readme = (CHART / "README.md").read_text()
    schema = json.loads((CHART / "values.schema.json").read_text())
    missing = [leaf for leaf in leaves(values) if not documented(leaf, readme)]
    assert not missing, f"README.md does not name {missing}"
    for leaf in leaves(values):
        part = schema
        for key in leaf.split("."):
            if "properties" not in part:
                break
            assert key in part["properties"], f"values.schema.json has no {leaf}"
            part = part["properties"][key]


def documented(leaf: str, readme: str) -> bool:
    """Say whether the value, or one that contains it, has a row of its own."""
    parts = leaf.split(".")
    return any(f"`{'.'.join(parts[:length])}`" in readme for length in range(1, len(parts) + 1))
