"""From an image and its base to its tags and the chart's values (pure)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kubeless_images.table import Image

DEFAULT_REGISTRY = "localhost/kubeless"


def input_hash(image: Image, *, dockerfile: bytes, context: str, base_id: str) -> str:
    """The first 12 hex digits of a SHA-256 over everything that decides the image's content."""
    inputs = {
        "args": dict(image.args),
        "base": base_id,
        "context": context,
        "dockerfile": hashlib.sha256(dockerfile).hexdigest(),
        "target": image.target,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]


def tag(version: str, digest: str) -> str:
    """The tag that names exactly this content."""
    return f"{version}-{digest}"


def reference(registry: str, name: str, tag: str) -> str:
    """A full image reference."""
    return f"{registry.rstrip('/')}/{name}:{tag}"


def values(registry: str, tags: dict[str, str]) -> dict[str, Any]:
    """Helm values that make the chart use exactly the images that were built."""
    found: dict[str, Any] = {
        "images": {"registry": registry, "tag": "", "tags": dict(sorted(tags.items()))}
    }
    # The dependency charts/kafka sees its own values alone.
    kafka = {"image": {"registry": registry, "tag": tags.get("kafka", "")}}
    hooks = {"image": {"registry": registry, "tag": tags.get("kafka-trigger", "")}}
    return {**found, "kafka": {**kafka, "hooks": hooks}}
