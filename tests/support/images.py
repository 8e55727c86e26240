"""The images that were built of this clone."""

from __future__ import annotations

from typing import Any

import yaml

from support.control_plane import ROOT


def tag(name: str) -> str:
    """The tag of an image, by its content. Raises KeyError for one that is not built."""
    found: str = _images()["tags"][name]
    return found


def reference(name: str) -> str:
    """The full reference of an image."""
    return f"{_images()['registry']}/{name}:{tag(name)}"


def _images() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "build/images.yaml").read_text())["images"]
    return found
