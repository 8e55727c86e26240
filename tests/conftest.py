"""What several folders of tests share: the local cluster, brought up once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.local_cluster import local_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[dict[str, str]]:
    """The environment in which kubectl, helm and kubeless mean a cluster that runs Kubeless."""
    with local_cluster() as environment:
        yield environment
