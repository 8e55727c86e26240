"""The namespaces that tests in the local cluster borrow: nothing of one test is there for the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeless_controller.reconcile.caches import FUNCTIONS, KAFKA_TRIGGERS
from kubeless_kube.client import Client
from kubeless_kube.resources import CONFIGMAPS, DEPLOYMENTS, EVENTS, PODS, SERVICES, Resource
from support import namespace_pool
from support.functions import manifest
from support.namespace_pool import NAMES, Pool, namespaced
from support.objects import SECRETS
from support.users import RBAC, ROLES, SERVICE_ACCOUNTS
from support.waiting import wait_for

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")


@pytest.fixture(scope="module")
def names(client: Client) -> Iterator[None]:
    namespace_pool.make(client)
    namespace_pool.make(client)  # which are there already
    yield
    namespace_pool.remove(client)


@pytest.fixture
def pool(client: Client, names: None, tmp_path: Path) -> Pool:
    return Pool(client, tmp_path)


def left_in(client: Client, namespace: str) -> set[tuple[str, str]]:
    """Kind and name of all that is in a namespace."""
    return {
        (kind.kind, item["metadata"]["name"])
        for kind in namespaced(client)
        for item in client.list(kind, namespace, metadata_only=True)["items"]
    }


def test_what_a_test_made_is_gone_and_what_an_installation_needs_stays(
    client: Client, pool: Pool
) -> None:
    with pool.borrowed() as name:
        account = {"kind": "ServiceAccount", "name": "default", "namespace": name}
        wait_for(lambda: ("ServiceAccount", "default") in left_in(client, name), "the account")
        before = left_in(client, name)
        named = {"name": "mine", "namespace": name}
        release = {
            "name": "kubeless-controller",
            "namespace": name,
            "labels": {"app.kubernetes.io/instance": "kubeless"},
        }
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        client.create(ROLES, {"metadata": release, "rules": rules})
        client.create(ROLES, {"metadata": named, "rules": rules})
        role = {"apiGroup": RBAC, "kind": "Role", "name": "mine"}
        bindings = Resource(RBAC, "v1", "rolebindings", "RoleBinding")
        client.create(bindings, {"metadata": named, "roleRef": role, "subjects": [account]})
        client.create(SERVICE_ACCOUNTS, {"metadata": named})
        client.create(CONFIGMAPS, {"metadata": named})
        client.create(SECRETS, {"metadata": named})
        client.create(SERVICES, {"metadata": named, "spec": {"ports": [{"port": 80}]}})
        client.create(QUOTAS, {"metadata": named, "spec": {"hard": {"services": "5"}}})
        client.create(NETWORK_POLICIES, {"metadata": named, "spec": {"podSelector": {}}})
        client.create(FUNCTIONS, manifest(name))
        spec = {"topic": "orders", "functionSelector": {"matchLabels": {"a": "b"}}}
        trigger = {
            "apiVersion": "kubeless.io/v1beta1",
            "kind": "KafkaTrigger",
            "metadata": {**named, "finalizers": []},
            "spec": spec,
        }
        client.create(KAFKA_TRIGGERS, trigger)
        pod = {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "a",
                    "image": "localhost/a",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        }
        labels = {"app": "mine"}
        template = {"metadata": {"labels": labels}, "spec": pod}
        deployment = {"selector": {"matchLabels": labels}, "replicas": 2, "template": template}
        client.create(DEPLOYMENTS, {"metadata": named, "spec": deployment})
        wait_for(lambda: len(client.list(PODS, name)["items"]) == 2, "the pods")
        wait_for(lambda: client.list(EVENTS, name)["items"], "the events")
    pool.close()
    assert left_in(client, name) == before | {("Role", "kubeless-controller")}


def test_nobody_gets_a_namespace_that_another_process_has(
    client: Client, names: None, tmp_path: Path
) -> None:
    one, other = Pool(client, tmp_path), Pool(client, tmp_path)
    with one.borrowed() as first, other.borrowed() as second, one.borrowed() as third:
        assert len({first, second, third}) == 3
        assert {first, second, third} <= set(NAMES)
        one.close()
    one.close()
    other.close()
    with other.borrowed() as again:
        assert again == first
    other.close()
