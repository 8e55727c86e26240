"""The host's npm settings in a real build: they reach its steps, and stay in nothing that it makes."""

from __future__ import annotations

import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import ClassVar

import pytest

from kubeless_images import engine, host, plan, table

ROOT = Path(__file__).resolve().parents[3]
BASE = "nodejs24-install"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("buildah") or not shutil.which("npm") or os.geteuid() != 0,
        reason="builds an image with buildah, as root, with the settings of the host's npm",
    ),
]


@pytest.fixture
def base() -> str:
    """The reference of an image that has npm."""
    tool = [sys.executable, str(ROOT / "tools/images/kubeless_images"), "--engine", "buildah"]
    subprocess.run([*tool, "build", BASE], check=True)
    return plan.reference(plan.DEFAULT_REGISTRY, BASE, table.version(ROOT))


def out(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


NPM_BUILD = """\
FROM {base}
USER 0:0
RUN --mount=type=secret,id=settings --mount=type=secret,id=npm \\
    . /run/secrets/settings && cd /opt && NPM_CONFIG_CACHE=/opt/cache npm install --no-audit --no-fund thing
"""


class Registry(http.server.BaseHTTPRequestHandler):
    """An npm registry with one package, for who knows its token."""

    token = "s3cret-of-the-build"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Registry.asked.append(self.path)
        known = self.headers.get("authorization") == f"Bearer {self.token}"
        content = self.answer() if known else b""
        self.send_response(200 if content else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer(self) -> bytes:
        address = f"http://{self.headers['host']}"
        manifest = {"name": "thing", "version": "1.0.0"}
        if self.path.endswith(".tgz"):
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w:gz") as archive:
                text = json.dumps(manifest).encode()
                entry = tarfile.TarInfo("package/package.json")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text))
            return packed.getvalue()
        version = {**manifest, "dist": {"tarball": f"{address}/thing.tgz"}}
        versions = {
            "name": "thing",
            "dist-tags": {"latest": "1.0.0"},
            "versions": {"1.0.0": version},
        }
        return json.dumps(versions).encode()

    def log_message(self, *arguments: object) -> None:
        pass


def test_the_hosts_npm_registry_reaches_a_build_and_its_token_does_not_stay(
    base: str, tmp_path: Path
) -> None:
    context, home, reference = (
        tmp_path / "context",
        tmp_path / "home",
        "localhost/kubeless-test:npm",
    )
    context.mkdir()
    home.mkdir()
    (context / "Dockerfile").write_text(NPM_BUILD.format(base=base))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        (home / ".npmrc").write_text(
            f"registry=http://{address}/\n//{address}/:_authToken=${{TOKEN}}\n"
        )
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TOKEN": Registry.token}
        secrets = host.write_secrets(host.read(environ), tmp_path / "secrets")
        image = table.Image("npm", context, "trixie", ())
        log = tmp_path / "log"
        engine.Buildah().build(image, [reference], secrets, log)
        server.shutdown()
    try:
        assert "/thing" in Registry.asked
        container = out("buildah", "from", "--pull-never", reference)
        try:
            root = Path(out("buildah", "mount", container))
            assert (root / "opt/node_modules/thing/package.json").is_file()
            looked = [root / place for place in ("opt", "root", "etc", "tmp", "run", "home")]
            search = ["grep", "-rlF", "--", Registry.token, *map(str, looked)]
            found = subprocess.run(search, capture_output=True, text=True, check=False)
            assert found.stdout == ""
        finally:
            out("buildah", "rm", container)
        assert Registry.token not in out("buildah", "inspect", "--type", "image", reference)
        assert Registry.token not in log.read_text()
    finally:
        out("buildah", "rmi", reference)
