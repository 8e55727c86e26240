"""Which images there are: the runtimes of runtimes.yaml and the components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kubeless_images.errors import ImagesError

RUNTIMES = "charts/kubeless/files/runtimes.yaml"
CHART = "charts/kubeless/Chart.yaml"

#: The suite of images that are not a language runtime.
COMPONENT_SUITE = "trixie"


@dataclass(frozen=True)
class Image:
    """One image to build.

    ``target`` names the Dockerfile stage; empty means the last one.
    """

    name: str
    context: Path
    suite: str
    args: tuple[tuple[str, str], ...]
    target: str = ""

    @property
    def dockerfile(self) -> Path:
        """Path of the Dockerfile: always the context's own."""
        return self.context / "Dockerfile"

    @property
    def base(self) -> str:
        """Reference of the base image."""
        return f"docker.io/library/debian:{self.suite}-slim"


def load(root: Path) -> list[Image]:
    """Every image of the repository at ``root``, in build order.

    Raises ImagesError when the table names a folder without a Dockerfile.
    """
    images = [*_components(root), *_runtimes(root)]
    for image in images:
        if not image.dockerfile.is_file():
            raise ImagesError(
                f"{image.name}: there is no {image.dockerfile.relative_to(root)}; "
                f"add it or take the image out of {RUNTIMES}"
            )
    return images


def select(images: list[Image], names: list[str]) -> list[Image]:
    """The named images, all when no name is given. Raises ImagesError on an unknown name."""
    known = [image.name for image in images]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ImagesError(f"no image named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [image for image in images if not names or image.name in names]


def version(root: Path) -> str:
    """The product's version: the chart's appVersion."""
    chart: dict[str, Any] = yaml.safe_load((root / CHART).read_text())
    return str(chart["appVersion"])


def _components(root: Path) -> list[Image]:
    """The controller, the broker, and each trigger (`triggers/kafka` -> kafka-trigger) with a Dockerfile."""
    found = [("controller", root / "controller"), ("kafka", root / "images/kafka")]
    found += [
        (f"{path.parent.name}-trigger", path.parent)
        for path in sorted(root.glob("triggers/*/Dockerfile"))
    ]
    args = (("DEBIAN_SUITE", COMPONENT_SUITE),)
    return [
        Image(name, folder, COMPONENT_SUITE, args)
        for name, folder in found
        if (folder / "Dockerfile").is_file()
    ]


def _runtimes(root: Path) -> list[Image]:
    images = []
    for row in parse_runtimes((root / RUNTIMES).read_text()):
        folder = root / "images" / row["language"]
        args = (("DEBIAN_SUITE", row["suite"]), ("LANGUAGE_VERSION", row["version"]))
        images.append(Image(row["image"], folder, row["suite"], args))
        if row.get("installImage"):
            images.append(Image(row["installImage"], folder, row["suite"], args, target="install"))
    return images


def parse_runtimes(text: str) -> list[dict[str, str]]:
    """The rows of runtimes.yaml. Raises ImagesError when a row lacks a field or types one wrongly."""
    rows = yaml.safe_load(text)
    if not isinstance(rows, list):
        raise ImagesError(f"{RUNTIMES}: expected a list of rows, found {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        for field in ("id", "language", "suite", "version", "image"):
            value = row.get(field) if isinstance(row, dict) else None
            if not isinstance(value, str) or not value:
                raise ImagesError(
                    f"{RUNTIMES}: row {number}: {field} must be a non-empty string, "
                    f"found {value!r} (quote versions: 3.10 is a number to YAML)"
                )
    return rows
