"""What is, and is not, inside the built images. Run after `images build`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kubeless_images import engine, host, plan, table
from kubeless_images.errors import ImagesError

ROOT = Path(__file__).resolve().parents[3]
TOOL = [sys.executable, str(ROOT / "tools/images/kubeless_images")]
NAMES = [image.name for image in table.load(ROOT)]

#: What compiles or fetches code; the base's own apt and dpkg can do nothing without root's rights.
COMPILING = (
    "as", "bundle", "c++", "cc", "cpp", "g++", "gcc", "gem", "git", "ld", "make", "npm", "npx", "pip",
    "pip3", "yarn",
)  # fmt: skip
#: Files of the skeleton of a home.
HOME_FILES = {".bashrc", ".profile"}
#: Folders in which installers keep what they fetched.
CACHES = {"_cacache", ".cache", ".npm", ".gem", ".bundle", ".node-gyp"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("buildah") or os.geteuid() != 0,
        reason="looks into images with buildah, as root",
    ),
]


@pytest.fixture(scope="module")
def built() -> None:
    """Every image is built; costs nothing when they are."""
    subprocess.run([*TOOL, "--engine", "buildah", "build"], check=True)


@pytest.fixture(scope="module", params=NAMES)
def unpacked(request: pytest.FixtureRequest, built: None) -> Iterator[tuple[str, Path]]:
    """An image's name and its root file system."""
    reference = plan.reference(plan.DEFAULT_REGISTRY, request.param, table.version(ROOT))
    container = out("buildah", "from", "--pull-never", reference)
    try:
        yield request.param, Path(out("buildah", "mount", container))
    finally:
        out("buildah", "rm", container)


def out(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def certificates(path: Path) -> set[str]:
    text = path.read_text()
    return set(re.findall(r"-----BEGIN CERTIFICATE-----(.*?)-----END", text, re.DOTALL))


def test_the_hosts_own_certificates_are_not_inside(unpacked: tuple[str, Path]) -> None:
    _, folder = unpacked
    bundle = host.ca_bundle(os.environ)
    assert bundle is not None
    public = {
        c for path in Path("/usr/share/ca-certificates").rglob("*.crt") for c in certificates(path)
    }
    inside = certificates(folder / "etc/ssl/certs/ca-certificates.crt")
    assert inside
    private = certificates(bundle) - public
    assert not private & inside
    for certificate in private:
        lines = sorted(certificate.split(), key=len)
        found = subprocess.run(
            ["grep", "-rlF", "--", lines[-1], folder / "etc", folder / "usr/share", folder / "opt"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.stdout == ""


def test_no_secret_is_in_files_history_or_environment(unpacked: tuple[str, Path]) -> None:
    name, folder = unpacked
    secrets = folder / "run/secrets"
    assert not secrets.exists() or not [p for p in secrets.iterdir() if p.stat().st_size]
    reference = plan.reference(plan.DEFAULT_REGISTRY, name, table.version(ROOT))
    config = json.loads(out("buildah", "inspect", "--type", "image", reference))["OCIv1"]
    names = {entry.partition("=")[0] for entry in config["config"].get("Env", [])}
    python = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH"}
    assert names <= {"PATH", "NODE_ENV", *python}
    assert "PIP_INDEX" not in json.dumps(config["history"])


def test_it_runs_as_a_numeric_user_that_is_not_root(unpacked: tuple[str, Path]) -> None:
    name, _ = unpacked
    reference = plan.reference(plan.DEFAULT_REGISTRY, name, table.version(ROOT))
    config = json.loads(out("buildah", "inspect", "--type", "image", reference))["OCIv1"]["config"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])


def test_only_installers_have_a_compiler_and_none_has_a_package_list(
    unpacked: tuple[str, Path],
) -> None:
    name, folder = unpacked
    places = ("usr/bin", "usr/sbin", "usr/local/bin", "usr/lib/gcc", "opt/kubeless/packages/bin")
    tools = {tool for place in places for tool in COMPILING if (folder / place / tool).exists()}
    modules = [
        path
        for kind in ("pip", "ensurepip/_bundled", "npm")
        for path in folder.glob(f"usr/*/*/{kind}")
    ]
    assert bool(tools) == name.endswith("-install")
    assert name.endswith("-install") or not modules
    assert not list((folder / "var/lib/apt/lists").glob("*Packages*"))
    assert not list((folder / "var/cache/apt").rglob("*.bin"))
    assert not list((folder / "var/cache/apt").rglob("*.deb"))


def test_nothing_of_the_build_is_left(unpacked: tuple[str, Path]) -> None:
    """No package cache, no shell history, no temporary file, no log."""
    _, folder = unpacked
    homes = [folder / "root", *(folder / "home").iterdir()]
    assert {path.name for home in homes for path in home.iterdir()} <= HOME_FILES
    for place in ("tmp", "var/tmp", "var/log"):
        assert not [path for path in (folder / place).rglob("*") if path.is_file()], place
    found = subprocess.run(
        ["find", folder, "-xdev", "-name", "*_history", "-o", "-type", "d", "(",
         *" -o ".join(f"-name {name}" for name in sorted(CACHES)).split(), ")"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout == ""


def test_it_says_what_it_is(unpacked: tuple[str, Path]) -> None:
    name, _ = unpacked
    reference = plan.reference(plan.DEFAULT_REGISTRY, name, table.version(ROOT))
    labels = json.loads(out("buildah", "inspect", "--type", "image", reference))["OCIv1"]["config"][
        "Labels"
    ]
    prefix = "org.opencontainers.image"
    assert labels[f"{prefix}.licenses"] == "Apache-2.0"
    assert labels[f"{prefix}.version"] == table.version(ROOT)
    assert labels[f"{prefix}.source"].startswith("https://")
    assert ("installer" in labels[f"{prefix}.title"]) == name.endswith("-install")
    listed = subprocess.run([*TOOL, "list"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^{re.escape(name)} .*  \d+(\.\d+)? [MG]B$", listed, re.MULTILINE), listed


def test_byte_code_is_there_for_a_read_only_root(unpacked: tuple[str, Path]) -> None:
    name, folder = unpacked
    sources = [
        path for path in (folder / "opt/kubeless").rglob("*.py") if "templates" not in path.parts
    ]
    assert sources or not name.startswith(("python", "controller"))
    for source in sources:
        assert list((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")), source


def test_second_build_does_nothing(built: None, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    done = subprocess.run(
        [*TOOL, "--engine", "buildah", "build", "--values", str(values)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"unchanged$", done.stdout, re.MULTILINE) == ["unchanged"] * len(NAMES)
    tags = yaml.safe_load(values.read_text())["images"]["tags"]
    assert sorted(tags) == sorted(NAMES)
    present = engine.Buildah().ids()
    assert all(f"localhost/kubeless/{name}:{tag}" in present for name, tag in tags.items())


def test_suite_with_another_version_than_the_tables_fails_and_says_so(
    built: None, tmp_path: Path
) -> None:
    row = next(image for image in table.load(ROOT) if image.name == "python3.13")
    args = (("DEBIAN_SUITE", row.suite), ("LANGUAGE_VERSION", "3.9"))
    wrong = table.Image("wrong", row.context, row.suite, args)
    secrets = host.write_secrets(host.read(os.environ), tmp_path / "secrets")
    with pytest.raises(
        ImagesError, match=r"(?s)building wrong failed.*the runtimes table says 3.9"
    ):
        engine.Buildah().build(wrong, ["localhost/kubeless-test:wrong"], secrets, tmp_path / "log")


def test_push_without_a_registry_says_what_is_missing() -> None:
    done = subprocess.run([*TOOL, "push"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "push needs a registry" in done.stderr


def test_push_to_a_registry_that_does_not_answer_fails_with_the_log(built: None) -> None:
    done = subprocess.run(
        [*TOOL, "--engine", "buildah", "push", "127.0.0.1:9/kubeless", "python3.13"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pushing 127.0.0.1:9/kubeless/python3.13:" in done.stderr
    assert "connection refused" in done.stderr
    subprocess.run(
        ["buildah", "rmi", f"127.0.0.1:9/kubeless/python3.13:{table.version(ROOT)}"],
        check=True,
        capture_output=True,
    )
