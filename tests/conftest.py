"""What several folders of tests share: the local cluster, brought up once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubeless_kube.client import Client
from support.local_cluster import local_cluster
from support.namespace_pool import Pool


@pytest.fixture(scope="session")
def cluster() -> Iterator[dict[str, str]]:
    """The environment in which kubectl, helm and kubeless mean a cluster that runs Kubeless."""
    with local_cluster() as environment:
        yield environment


@pytest.fixture(scope="session")
def pool(cluster: dict[str, str]) -> Iterator[Pool]:
    """Namespaces in which the installation of that cluster runs Functions."""
    found = Pool(Client.from_kubeconfig(cluster["KUBECONFIG"]))
    yield found
    found.close()
