"""Tags, values, the table of images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kubeless_images import plan, table
from kubeless_images.errors import ImagesError

IMAGE = table.Image("x", Path("/x"), "trixie", (("DEBIAN_SUITE", "trixie"),))


def hash_of(image: table.Image = IMAGE, **changed: str) -> str:
    inputs = {"dockerfile": "FROM x", "context": "c", "base_id": "b", **changed}
    return plan.input_hash(
        image, dockerfile=inputs["dockerfile"].encode(), context=inputs["context"],
        base_id=inputs["base_id"],
    )  # fmt: skip


def test_hash_covers_every_input() -> None:
    hashes = {
        hash_of(),
        hash_of(dockerfile="FROM y"),
        hash_of(context="d"),
        hash_of(base_id="c"),
        hash_of(replace(IMAGE, args=(("DEBIAN_SUITE", "forky"),))),
        hash_of(replace(IMAGE, target="install")),
    }
    assert len(hashes) == 6
    assert all(len(h) == 12 for h in hashes)


def test_hash_is_stable() -> None:
    assert hash_of() == hash_of(replace(IMAGE, name="other"))


def test_reference() -> None:
    assert plan.reference("r.example/k/", "python3.13", "0.1.0") == "r.example/k/python3.13:0.1.0"


def test_values_name_the_built_tags() -> None:
    found = plan.values("localhost/kubeless", {"b": "2", "a": "1"})
    assert found["images"] == {
        "registry": "localhost/kubeless",
        "tag": "",
        "tags": {"a": "1", "b": "2"},
    }


def test_values_name_the_built_tags_to_the_chart_of_kafka_too() -> None:
    found = plan.values("localhost/kubeless", {"kafka": "1", "kafka-trigger": "2"})["kafka"]
    assert found["image"] == {"registry": "localhost/kubeless", "tag": "1"}
    assert found["hooks"]["image"] == {"registry": "localhost/kubeless", "tag": "2"}


def make_root(tmp_path: Path, runtimes: str) -> Path:
    (tmp_path / "charts/kubeless/files").mkdir(parents=True)
    (tmp_path / table.RUNTIMES).write_text(runtimes)
    (tmp_path / table.CHART).write_text("appVersion: 1.2.3\n")
    for folder in ("controller", "triggers/kafka", "images/kafka", "images/python"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").touch()
    return tmp_path


ROW = """
- id: python3.13
  language: python
  suite: trixie
  version: "3.13"
  image: python3.13
"""


def test_images_are_components_and_runtimes(tmp_path: Path) -> None:
    root = make_root(tmp_path, ROW + "  installImage: python3.13-install\n")
    images = {image.name: image for image in table.load(root)}
    assert list(images) == [
        "controller",
        "kafka",
        "kafka-trigger",
        "python3.13",
        "python3.13-install",
    ]
    assert images["kafka"].context == root / "images/kafka"
    assert images["python3.13"].args == (("DEBIAN_SUITE", "trixie"), ("LANGUAGE_VERSION", "3.13"))
    assert images["python3.13"].base == "docker.io/library/debian:trixie-slim"
    assert images["python3.13-install"].target == "install"
    assert images["kafka-trigger"].context == root / "triggers/kafka"
    assert table.version(root) == "1.2.3"


def test_row_without_its_folder_is_refused(tmp_path: Path) -> None:
    root = make_root(tmp_path, ROW.replace("language: python", "language: cobol"))
    with pytest.raises(ImagesError, match=r"python3.13: there is no images/cobol/Dockerfile"):
        table.load(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW.replace('"3.13"', "3.10"), "row 1: version must be a non-empty string, found 3.1 "),
        (
            ROW.replace("  suite: trixie\n", ""),
            "row 1: suite must be a non-empty string, found None",
        ),
        ("a: b", "expected a list of rows, found dict"),
        ("- x", "row 1: id must be"),
    ],
)
def test_wrong_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        table.parse_runtimes(text)


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    images = table.load(make_root(tmp_path, ROW))
    with pytest.raises(
        ImagesError, match=r"no image named foo; there are: controller, kafka, kafka-trigger"
    ):
        table.select(images, ["foo"])


def test_the_repositorys_own_table_is_sound() -> None:
    root = Path(__file__).resolve().parents[3]
    names = [image.name for image in table.load(root)]
    assert {"controller", "python3.13", "python3.14"} <= set(names)
    assert len(names) == len(set(names))
