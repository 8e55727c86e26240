"""Temporary files where everybody may write and no sticky bit is set, as in the volume at a pod's /tmp."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Serve

SOURCE = """
require 'tempfile'
def handler(event, context)
  Tempfile.create { |file| [event[:data].bytesize, File.dirname(file.path), `echo $TMPDIR`.strip] }
end
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Like that volume."""
    made = tmp_path / "tmp"
    made.mkdir()
    made.chmod(0o777)
    return made


def test_a_function_and_its_children_have_a_folder_for_them(serve: Serve, folder: Path) -> None:
    server = serve(SOURCE, env={"TMPDIR": str(folder)})
    size, place, childs = server.post(b"x" * 2_000_000).json()
    assert size == 2_000_000
    assert Path(place).parent == folder
    assert place == childs
    assert Path(place).stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_not_taken(serve: Serve, folder: Path) -> None:
    (folder / f"ruby-{os.getuid()}").symlink_to(folder)
    server = serve("def handler(*) = ENV['TMPDIR']", env={"TMPDIR": str(folder)})
    assert server.get().text == str(folder)


def test_a_folder_with_the_sticky_bit_is_taken_as_it_is(serve: Serve, folder: Path) -> None:
    folder.chmod(0o1777)
    server = serve("def handler(*) = ENV['TMPDIR']", env={"TMPDIR": str(folder)})
    assert server.get().text == str(folder)
