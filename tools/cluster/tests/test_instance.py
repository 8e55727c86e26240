from __future__ import annotations

from pathlib import Path

import pytest

from kubeless_cluster.errors import ClusterError
from kubeless_cluster.instance import (
    Instance,
    cache_folder,
    default_network,
    find_instance,
    parse_network,
    remember,
)


def test_the_default_is_instance_0_in_the_users_state_folder() -> None:
    instance = find_instance({"HOME": "/home/ada"})
    assert instance.number == 0
    assert instance.state == Path("/home/ada/.local/state/kubeless-cluster")
    assert instance.name == "kubeless0"


def test_xdg_folders_are_respected() -> None:
    environment = {"HOME": "/home/ada", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/c"}
    assert find_instance(environment).state == Path("/s/kubeless-cluster")
    assert cache_folder(environment) == Path("/c/kubeless/cluster")


def test_another_state_folder_is_another_instance() -> None:
    one = find_instance({"KUBELESS_CLUSTER_STATE": "/tmp/k"})
    seven = find_instance({"KUBELESS_CLUSTER_STATE": "/tmp/k", "KUBELESS_CLUSTER_INSTANCE": "7"})
    assert (one.number, seven.number) == (1, 7)
    assert not one.network.overlaps(seven.network)


@pytest.mark.parametrize("number", ["50", "-1", "x", "1.5"])
def test_a_wrong_number_is_refused(number: str) -> None:
    with pytest.raises(ClusterError, match="expected a number from 0 to 49"):
        find_instance({"HOME": "/h", "KUBELESS_CLUSTER_INSTANCE": number})


def test_a_relative_state_folder_is_refused() -> None:
    with pytest.raises(ClusterError, match="expected an absolute path"):
        find_instance({"KUBELESS_CLUSTER_STATE": "here"})


@pytest.mark.parametrize("text", ["10.0.0.0/8", "8.8.0.0/16", "10.1.2.3/16", "x", "fd00::/16"])
def test_a_wrong_network_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match="private IPv4 /16"):
        parse_network(text)


def test_the_parts_of_the_network_do_not_meet() -> None:
    instance = Instance(3, Path("/s"), default_network(3))
    parts = [instance.nodes, instance.pods, instance.services]
    for part in parts:
        assert part.subnet_of(instance.network)
        assert not any(part.overlaps(other) for other in parts if other != part)
    assert instance.node.address in instance.nodes
    assert instance.node.pods.subnet_of(instance.pods)
    assert str(instance.dns_service) == "10.203.128.10"


def test_a_cluster_is_found_again_without_its_variables(tmp_path: Path) -> None:
    state = {"KUBELESS_CLUSTER_STATE": str(tmp_path)}
    given = {"KUBELESS_CLUSTER_INSTANCE": "4", "KUBELESS_CLUSTER_NETWORK": "10.9.0.0/16"}
    made = find_instance({**state, **given})
    remember(made)
    assert find_instance(state) == made
    with pytest.raises(ClusterError, match="run `cluster down`"):
        find_instance({**state, "KUBELESS_CLUSTER_INSTANCE": "5"})


def test_link_names_fit_the_kernel() -> None:
    instance = Instance(49, Path("/s"), default_network(49))
    assert len(instance.node.link) <= 15
