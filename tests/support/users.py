"""People who may do some things and not others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubeless_kube.client import Client
from kubeless_kube.resources import Resource

Object = dict[str, Any]

RBAC = "rbac.authorization.k8s.io"
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
ROLES = Resource(RBAC, "v1", "roles", "Role")
ROLE_BINDINGS = Resource(RBAC, "v1", "rolebindings", "RoleBinding")


def user_with(
    client: Client, admin: Path, namespace: str, path: Path, *rules: Object, name: str = "user"
) -> Path:
    """Write the kubeconfig of a user who has these rights in one namespace, and no others.

    ``admin`` is the kubeconfig (JSON) that ``client`` was made from; it says where the cluster is.
    """
    metadata = {"name": name, "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    client.create(SERVICE_ACCOUNTS, {"metadata": metadata})
    client.create(ROLES, {"metadata": metadata, "rules": list(rules)})
    role = {"apiGroup": RBAC, "kind": "Role", "name": name}
    client.create(ROLE_BINDINGS, {"metadata": metadata, "roleRef": role, "subjects": [subject]})
    answer = client.request(
        "POST",
        SERVICE_ACCOUNTS.path(namespace, name, "token"),
        body=b'{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 201, answer.data
    config = json.loads(admin.read_text())
    config["users"][0]["user"] = {"token": json.loads(answer.data)["status"]["token"]}
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    return path
