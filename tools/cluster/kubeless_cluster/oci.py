"""Image archives made without a builder: files, one layer, one configuration.

The archive is an OCI image layout in a tar (image-spec, image-layout.md), the
same bytes for the same input.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le"}


def architecture() -> str:
    """This machine's architecture as OCI calls it."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)


def _tar(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return sink.getvalue()


def archive(
    name: str, files: Mapping[str, bytes], entrypoint: Sequence[str], user: str = "65532:65532"
) -> bytes:
    """An OCI archive of image `name` whose only layer holds `files` (path: content), mode 0755."""
    layer = _tar({path: (data, 0o755) for path, data in files.items()})
    blobs: dict[str, tuple[bytes, int]] = {}

    def blob(data: bytes, media: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = (data, 0o644)
        return {
            "mediaType": f"application/vnd.oci.image.{media}",
            "digest": f"sha256:{digest}",
            "size": len(data),
        }

    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": list(entrypoint), "User": user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "config.v1+json"),
        "layers": [blob(layer, "layer.v1.tar")],
    }
    entry = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name,
    }
    index = {"schemaVersion": 2, "manifests": [entry]}
    head = {
        "oci-layout": (b'{"imageLayoutVersion":"1.0.0"}', 0o644),
        "index.json": (json.dumps(index).encode(), 0o644),
    }
    return _tar({**head, **blobs})
