from __future__ import annotations

import io
import json
import tarfile

import pytest

from kubeless_cluster import oci
from kubeless_cluster.errors import ClusterError
from kubeless_cluster.images import normalize


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("x", "docker.io/library/x:latest"),
        ("x:1", "docker.io/library/x:1"),
        ("kubeless/x:1", "docker.io/kubeless/x:1"),
        ("localhost/kubeless/python3.13:0.1.0", "localhost/kubeless/python3.13:0.1.0"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("registry.example/x@sha256:abc", "registry.example/x@sha256:abc"),
    ],
)
def test_names_are_those_the_kubelet_looks_for(given: str, name: str) -> None:
    assert normalize(given) == name


@pytest.mark.parametrize("given", ["", "a b", "-x", "/x"])
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(ClusterError, match="no image name"):
        normalize(given)


def test_an_archive_is_the_same_for_the_same_input_and_names_its_image() -> None:
    made = oci.archive("localhost/x:1", {"x": b"program"}, ["/x"])
    assert made == oci.archive("localhost/x:1", {"x": b"program"}, ["/x"])
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        index = json.load(archive.extractfile("index.json") or io.BytesIO())
        [manifest] = index["manifests"]
        digest = manifest["digest"].removeprefix("sha256:")
        assert archive.getmember(f"blobs/sha256/{digest}").size == manifest["size"]
    assert manifest["annotations"]["io.containerd.image.name"] == "localhost/x:1"
