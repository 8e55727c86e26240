"""The bundle that the image runs: the same server, from one file with its compiled code."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from conformance.languages import NODE
from conformance.server import launch, wait_until_ready

from .conftest import FOLDER

# What start.js does, and whether V8 took the compiled code.
TAKEN = """
    const fs = require('node:fs');
    const { Script } = require('node:vm');
    const script = new Script(fs.readFileSync('build/server.js', 'latin1'), {
      filename: `${process.cwd()}/server/main.js`,
      cachedData: fs.readFileSync('build/server.cache'),
    });
    console.log(script.cachedDataRejected);
"""


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the server with its bundle, and without the files that are in it."""
    folder = tmp_path_factory.mktemp("node")
    for name in ("server", "build"):
        shutil.copytree(FOLDER / name, folder / name)
    for name in ("bundle.js", "supervisor.pl"):
        shutil.copy(FOLDER / name, folder)
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    subprocess.run(["node", "bundle.js"], cwd=folder, check=True)
    for file in (folder / "server").iterdir():
        if file.name not in ("start.js", "import.js"):
            file.unlink()
    return folder


def test_compiled_code_is_taken(bundled: Path) -> None:
    done = subprocess.run(
        ["node", "-e", TAKEN], cwd=bundled, capture_output=True, text=True, check=True
    )
    assert done.stdout == "false\n"


@pytest.mark.parametrize("suffix", [".js", ".mjs"])
def test_bundle_serves(bundled: Path, suffix: str) -> None:
    export = "module.exports =" if suffix == ".js" else "export default"
    source = f"""
        {export} (event) => {{
          if (event.data === 'fail') throw new TypeError('as it was told');
          return event.extensions.request.get('x-a');
        }};
    """
    server = launch(NODE, {f"fn{suffix}": source}, command=("perl", str(bundled / "supervisor.pl")))
    try:
        wait_until_ready(server)
        assert server.get(**{"X-A": "b"}).text == "b"
        assert server.post("fail").status == 500
        assert server.wrote("TypeError: as it was told")
        assert str(bundled) not in server.output()  # the server's own frames are not shown
    finally:
        server.destroy()
