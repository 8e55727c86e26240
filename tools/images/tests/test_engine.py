"""What buildah says. A program stands for it: when another process removes an image cannot be timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeless_images.engine import LISTINGS, Buildah
from kubeless_images.errors import ImagesError

BUILDAH = """#!/bin/sh
echo x >>"$0.calls"
if [ "$(wc -l <"$0.calls")" -le {failures} ]; then
    echo 'Error: {message}' >&2
    exit 1
fi
echo '[{{"id": "abc", "names": ["localhost/a:1", "localhost/a:2"], "size": "1 MB"}}]'
"""
GONE = 'reading image "867c": locating image with ID "867c": image not known'


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "buildah"


def write(program: Path, failures: int, message: str) -> None:
    program.write_text(BUILDAH.format(failures=failures, message=message))
    program.chmod(0o755)


def calls(program: Path) -> int:
    return len(Path(f"{program}.calls").read_text().split())


@pytest.mark.parametrize("failures", [0, 1, LISTINGS - 1])
def test_an_image_that_goes_while_the_list_is_read_is_no_error(
    program: Path, failures: int
) -> None:
    write(program, failures, GONE)
    assert Buildah().ids() == {"localhost/a:1": "abc", "localhost/a:2": "abc"}
    assert calls(program) == failures + 1


@pytest.mark.parametrize(
    ("message", "asked"), [("no space left on device", 1), (GONE, LISTINGS)], ids=["other", "gone"]
)
def test_what_does_not_end_is_said(program: Path, message: str, asked: int) -> None:
    write(program, 1000, message)
    with pytest.raises(ImagesError, match=message.rsplit(":", maxsplit=1)[-1].strip()):
        Buildah().ids()
    assert calls(program) == asked
