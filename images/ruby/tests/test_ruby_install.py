"""The installer, against a gem index of the test's own, and a server that uses what it installed."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.languages import IMAGES
from conformance.server import Server
from support import gems

from .conftest import Serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("CI") and not all(map(shutil.which, ("ruby", "gem", "bundle", "make", "gcc"))),
        reason="installs gems: needs ruby, bundler, ruby-dev, gcc and make",
    ),
]  # fmt: skip

INSTALL = IMAGES / "ruby/install"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of a static compact index with `pure`, which needs `native`, which is compiled."""
    made = {
        "native": gems.build(tmp_path, "native", gems.NATIVE, gems.NATIVE_EXTRA),
        "pure": gems.build(
            tmp_path, "pure", {"lib/pure.rb": "require 'native'\nPURE = native_answer\n"},
            "s.add_dependency 'native'",
        ),
    }  # fmt: skip
    root = tmp_path / "index"
    for name, content in gems.index(made, {"pure": "native:>= 0"}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(root))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def install(volume: Path, **env: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"], "KUBELESS_INSTALL_VOLUME": str(volume),
        "KUBELESS_DEPS_FILE": str(volume / "Gemfile"), **env,
    }  # fmt: skip
    options: dict[str, int] = {"user": 12345, "group": 12345} if os.geteuid() == 0 else {}
    return subprocess.run(
        [str(INSTALL)], env=environ, capture_output=True, text=True, check=False, timeout=120,
        extra_groups=[] if options else None, **options,
    )  # type: ignore[call-overload, no-any-return]  # fmt: skip


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server whose volume is there to install into; it starts without gems."""
    return serve("def handler(*) = 'no gems'")


def test_gems_are_installed_by_any_user_and_found(
    server: Server, serve: Serve, index: str, tmp_path: Path
) -> None:
    volume = server.volume
    volume.chmod(0o777)
    (volume / "Gemfile").write_text(f"source '{index}'\ngem 'pure'\n")
    done = install(volume)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(volume.glob("ruby/*/cache"))
    (volume / "fn.rb").write_text("require 'pure'\ndef handler(*) = PURE\n")
    fresh = serve("", module="fn", env={"KUBELESS_INSTALL_VOLUME": str(volume)})
    assert fresh.get().json() == 42


def test_mirror_of_the_environment_is_used(server: Server, index: str) -> None:
    volume = server.volume
    volume.chmod(0o777)
    (volume / "Gemfile").write_text("source 'http://gems.invalid'\ngem 'native'\n")
    done = install(volume, BUNDLE_MIRROR__ALL=index)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(volume.glob("ruby/*/gems/native-1.0"))


def test_gem_that_does_not_exist_is_named(server: Server, index: str) -> None:
    volume = server.volume
    volume.chmod(0o777)
    (volume / "Gemfile").write_text(f"source '{index}'\ngem 'no_such_gem'\n")
    done = install(volume)
    assert done.returncode != 0
    assert "no_such_gem" in done.stdout + done.stderr


def test_missing_gemfile_is_one_line(tmp_path: Path) -> None:
    done = install(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("kubeless: there is no Gemfile to install from; put the ")
    assert done.stderr.count("\n") == 1
