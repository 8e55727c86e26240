"""What of a folder is a build's input."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kubeless_images import table
from kubeless_images.context import digest, files, ignored, parse_ignore

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("ignore", "path", "left_out"),
    [
        ("", "a/b", False),
        ("a", "a/b", True),
        ("a", "b/a", False),
        ("/a/", "a/b", True),
        ("**/a", "b/c/a", True),
        ("**/a", "a", True),
        ("*.md", "x.md", True),
        ("*.md", "a/x.md", False),
        ("**/*.md", "a/b/x.md", True),
        ("?.txt", "a.txt", True),
        ("?.txt", "ab.txt", False),
        ("[ab].txt", "b.txt", True),
        ("*\n!keep", "keep/x", False),
        ("*\n!keep\n**/__pycache__", "keep/__pycache__/x.pyc", True),
        ("!a\na", "a", True),
        ("# a\n\n", "a", False),
        ("a.b", "aXb", False),
    ],
)
def test_dockerignore(ignore: str, path: str, left_out: bool) -> None:
    assert ignored(path, parse_ignore(ignore)) is left_out


def test_files_are_filtered_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b", "a", "sub/c", "x.log"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to("sub")
    (tmp_path / ".dockerignore").write_text("*.log\n.dockerignore\n")
    assert list(files(tmp_path)) == ["a", "b", "link", "sub/c"]


def test_digest_sees_content_name_mode_and_link_target(tmp_path: Path) -> None:
    seen = set()

    def changed() -> None:
        now = digest(tmp_path)
        assert now not in seen
        seen.add(now)

    changed()
    (tmp_path / "a").write_text("1")
    changed()
    (tmp_path / "a").write_text("2")
    changed()
    (tmp_path / "a").rename(tmp_path / "b")
    changed()
    (tmp_path / "b").chmod(0o755)
    changed()
    (tmp_path / "c").symlink_to("b")
    changed()
    (tmp_path / "c").unlink()
    (tmp_path / "c").symlink_to("elsewhere")
    changed()


def test_digest_does_not_see_what_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!in\n")
    (tmp_path / "in").write_text("1")
    before = digest(tmp_path)
    (tmp_path / "out").write_text("2")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/x.pyc").touch()
    assert digest(tmp_path) == before


@pytest.mark.parametrize(
    "folder", sorted({image.context for image in table.load(ROOT)}), ids=lambda folder: folder.name
)
def test_what_python_compiles_beside_a_source_is_in_no_image(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "context"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    before = digest(copy)
    assert list(files(copy))
    for source in list(copy.rglob("*.py")):
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-311.pyc"
        compiled.parent.mkdir(exist_ok=True)
        compiled.touch()
    assert digest(copy) == before
