"""The dependency installer, against a registry of the test's own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .conftest import FOLDER


def tarball(name: str, version: str) -> bytes:
    """A package whose index.js exports its version."""
    files = {
        "package.json": json.dumps({"name": name, "version": version}),
        "index.js": f"module.exports = '{version}';",
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"package/{path}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


class Registry:
    """An npm registry with one package in two versions; remembers what it was asked."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.asked: list[tuple[str, str]] = []
        self.tarballs = {version: tarball(package, version) for version in ("1.0.0", "1.1.0")}
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.replace("%2f", "/")
                registry.asked.append((path, self.headers.get("authorization", "")))
                content = registry.answer(path)
                self.send_response(200 if content else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> bytes:
        """The metadata or a tarball; empty for what is not there."""
        for version, content in self.tarballs.items():
            if path == f"/-/{version}.tgz":
                return content
        if path != f"/{self.package}":
            return b""
        versions = {
            version: {
                "name": self.package,
                "version": version,
                "dist": {
                    "tarball": f"{self.url}-/{version}.tgz",
                    "integrity": integrity(content),
                },
            }
            for version, content in self.tarballs.items()
        }
        return json.dumps(
            {"name": self.package, "dist-tags": {"latest": "1.1.0"}, "versions": versions}
        ).encode()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


@pytest.fixture
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    made = Registry(getattr(request, "param", "thing"))
    yield made
    made.close()


def install(folder: Path, package: str | None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the installer over ``<folder>/volume``."""
    volume, temporary = folder / "volume", folder / "tmp"
    volume.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    if package:
        (volume / "package.json").write_text(json.dumps({"dependencies": {package: "^1.0.0"}}))
    return subprocess.run(
        [FOLDER / "install"],
        env={
            "PATH": os.environ["PATH"], "TMPDIR": str(temporary), "KUBELESS_INSTALL_VOLUME": str(volume),
            "KUBELESS_DEPS_FILE": str(volume / "package.json"), "npm_config_fetch_retries": "0", **env,
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def installed(folder: Path, package: str) -> str:
    manifest = folder / "volume/node_modules" / package / "package.json"
    return str(json.loads(manifest.read_text())["version"])


@pytest.mark.parametrize("variable", ["NPM_REGISTRY", "npm_config_registry"])
def test_packages_of_the_named_registry(tmp_path: Path, registry: Registry, variable: str) -> None:
    done = install(tmp_path, "thing", **{variable: registry.url})
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path, "thing") == "1.1.0"


@pytest.mark.parametrize("registry", ["@acme/thing"], indirect=True)
def test_registry_of_a_scope_and_further_settings(tmp_path: Path, registry: Registry) -> None:
    done = install(
        tmp_path, "@acme/thing", NPM_REGISTRY=registry.url, NPM_SCOPE="@acme",
        NPM_CONFIG_EXTRA=f"//{registry.host}/:_authToken=secret, save-prefix ~",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path, "@acme/thing") == "1.1.0"
    assert ("/@acme/thing", "Bearer secret") in registry.asked
    assert "secret" not in done.stdout + done.stderr


def test_lock_file_beside_decides_the_version(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume/package-lock.json").write_text(
        json.dumps(
            {
                "name": "x", "lockfileVersion": 3, "requires": True,
                "packages": {
                    "": {"dependencies": {"thing": "^1.0.0"}},
                    "node_modules/thing": {
                        "version": "1.0.0", "integrity": integrity(registry.tarballs["1.0.0"]),
                    },
                },
            }
        )
    )  # fmt: skip
    done = install(tmp_path, "thing", NPM_REGISTRY=registry.url)
    assert done.returncode == 0, done.stderr
    assert installed(tmp_path, "thing") == "1.0.0"


def test_package_that_is_not_there(tmp_path: Path, registry: Registry) -> None:
    done = install(tmp_path, "nothing", NPM_REGISTRY=registry.url)
    assert done.returncode == 1
    assert "nothing@^1.0.0" in done.stderr
    assert "404" in done.stderr


def test_no_file_of_dependencies(tmp_path: Path) -> None:
    done = install(tmp_path, None)
    assert done.returncode == 1
    assert done.stderr.startswith("kubeless: there is no package.json to install from; ")
