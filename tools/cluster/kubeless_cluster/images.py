"""Images in the node's containerd: the cluster's own, and what a user loads.

A loaded image carries the id it had where it came from as a label; the same id
is not copied again. Its name is the one Kubernetes makes of what was given:
`x` is `docker.io/library/x:latest`, `localhost/x:1` stays.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import command, oci, packages, probe
from .binaries import Binaries
from .errors import ClusterError
from .instance import Node
from .progress import say, step

SOURCE_LABEL = "kubeless.io/source-id"
PINNED_LABEL = "io.cri-containerd.pinned"
OWN = "localhost/kubeless-cluster"


def normalize(reference: str) -> str:
    """A reference as the kubelet asks containerd for it.

    >>> normalize("kubeless/x")
    'docker.io/kubeless/x:latest'

    Raises ClusterError for text that is no reference.
    """
    if not reference or any(c.isspace() for c in reference) or reference.startswith(("-", "/")):
        raise ClusterError(f"{reference!r} is no image name; expected one like localhost/x:tag")
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif not ("." in first or ":" in first or first == "localhost"):
        reference = f"docker.io/{reference}"
    last = reference.rsplit("/", 1)[1]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


class Store:
    """The images of one node, through `ctr`."""

    def __init__(self, node: Node, binaries: Binaries) -> None:
        self._ctr = [
            str(binaries.path("ctr")), "--address", str(node.containerd_socket),
            "--namespace", "k8s.io",
        ]  # fmt: skip

    def labels(self, name: str) -> dict[str, str] | None:
        """The labels of image `name`, None when it is not there."""
        for line in command.output([*self._ctr, "images", "list", f"name=={name}"]).splitlines():
            words = line.split()
            if words[0] == name:
                pairs = (pair.partition("=") for pair in words[-1].split(","))
                return {key: value for key, _, value in pairs}
        return None

    def bring(self, archive: Path, name: str, **labels: str) -> None:
        """Import an archive that holds image `name`, and label it."""
        command.run([*self._ctr, "images", "import", archive])
        if self.labels(name) is None:
            raise ClusterError(f"{archive} was imported, but there is no image {name} now")
        pairs = [f"{key}={value}" for key, value in labels.items()]
        command.run([*self._ctr, "images", "label", name, *pairs])


@dataclass(frozen=True)
class OwnImage:
    """An image of the cluster's own: a program and what it needs, named by its content."""

    title: str
    files: Mapping[str, Path]
    """Path in the image, without the first slash, and the file here."""
    tag: str
    arguments: tuple[str, ...]
    user: str

    @property
    def name(self) -> str:
        return f"{OWN}/{self.title}:{self.tag}"


def pause() -> OwnImage:
    """The sandbox image: an init that waits and reaps, from the distribution."""
    program = packages.program("catatonit")
    tag = hashlib.sha256(program.read_bytes()).hexdigest()[:12]
    files = {"catatonit": program}
    return OwnImage("pause", files, tag, ("/catatonit", "-P"), "65535:65535")


def coredns(binaries: Binaries) -> OwnImage:
    files = {"coredns": binaries.path("coredns")}
    return OwnImage("coredns", files, binaries.key, ("/coredns",), "65532:65532")


def ensure_own(store: Store, images: Sequence[OwnImage]) -> None:
    """Make and import those that the node does not have."""
    for image in images:
        if (store.labels(image.name) or {}).get(PINNED_LABEL) == "pinned":
            continue
        files = {name: path.read_bytes() for name, path in image.files.items()}
        made = oci.archive(image.name, files, image.arguments, image.user)
        with tempfile.TemporaryDirectory(prefix="kubeless-image-") as folder:
            path = Path(folder) / "image.tar"
            path.write_bytes(made)
            store.bring(path, image.name, **{PINNED_LABEL: "pinned"})


@dataclass(frozen=True)
class Source:
    """A place that images are loaded from."""

    name: str
    identify: Callable[[str], str | None]
    """The id of a reference there, None when it is not there."""
    export: Callable[[str, str, Path], None]
    """Write (reference, name in the cluster) as an archive."""


def _buildah_id(reference: str) -> str | None:
    if packages.find_program("buildah") is None:
        return None
    done = command.run(
        ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference],
        check=False,
    )
    return done.stdout.decode().strip() or None if done.returncode == 0 else None


def _buildah_export(reference: str, name: str, path: Path) -> None:
    target = f"oci-archive:{path}:{name}"
    command.run(["buildah", "push", "--quiet", "--disable-compression", reference, target])


def _docker_id(reference: str) -> str | None:
    if packages.find_program("docker") is None:
        return None
    done = command.run(
        ["docker", "image", "inspect", "--format", "{{.Id}}", reference], check=False
    )
    return done.stdout.decode().strip() or None if done.returncode == 0 else None


def _docker_export(reference: str, name: str, path: Path) -> None:
    command.run(["docker", "save", "--output", path, reference])


SOURCES = (
    Source("buildah", _buildah_id, _buildah_export),
    Source("docker", _docker_id, _docker_export),
)


def load(node: Node, binaries: Binaries, references: Sequence[str]) -> None:
    """Copy images into the node. All are looked up before the first is copied.

    Raises ClusterError for a name that no source knows, or a node that is down.
    """
    names = {reference: normalize(reference) for reference in references}
    if not probe.listens(node.containerd_socket):
        raise ClusterError(
            f"the cluster is not up (no containerd at {node.containerd_socket}): "
            "run `tools/cluster/cluster up`"
        )
    found: dict[str, tuple[Source, str]] = {}
    unknown = []
    for reference in references:
        for source in SOURCES:
            if identity := source.identify(reference):
                found[reference] = (source, identity)
                break
        else:
            unknown.append(reference)
    if unknown:
        places = " and ".join(source.name for source in SOURCES)
        raise ClusterError(
            f"no such image: {', '.join(unknown)} (looked in {places}); build it first, "
            "`buildah images` lists what there is"
        )
    store = Store(node, binaries)
    for reference, (source, identity) in found.items():
        name = names[reference]
        if (store.labels(name) or {}).get(SOURCE_LABEL) == identity:
            say(f"{name}: already there")
            continue
        with (
            step(f"loading {name} from {source.name}"),
            tempfile.TemporaryDirectory(prefix="kubeless-image-") as folder,
        ):
            path = Path(folder) / "image.tar"
            source.export(reference, name, path)
            store.bring(path, name, **{SOURCE_LABEL: identity})
