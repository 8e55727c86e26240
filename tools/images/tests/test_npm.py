"""The host's npm settings, and how they reach build steps."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kubeless_images import host, npm

RC = """\
# the team's registry
registry=https://npm.example/
//npm.example/:_authToken=${TOKEN}
//npm.example/:email=a@npm.example
 //other.example/path/:_password = "cGFzcw=="
save-prefix=~
"""


def test_credentials_of_a_file_and_nothing_else() -> None:
    assert npm.parse_credentials(RC, {"TOKEN": "s3cret"}) == {
        "//npm.example/:_authToken": "s3cret",
        "//other.example/path/:_password": "cGFzcw==",
    }


def test_a_variable_that_is_not_set_stays_as_npm_leaves_it() -> None:
    assert npm.parse_credentials(RC, {})["//npm.example/:_authToken"] == "${TOKEN}"


def test_credentials_of_the_environment() -> None:
    environ = {"npm_config_//npm.example/:_authToken": "t", "npm_config_registry": "x", "PATH": ""}
    assert npm.environment_credentials(environ) == {"//npm.example/:_authToken": "t"}


def test_options_that_say_where_packages_come_from() -> None:
    settings = {
        "registry": "https://npm.example/", "@team:registry": "https://team.example/", "proxy": None,
        "noproxy": ["a", "b"], "strict-ssl": True, "cafile": "/etc/ca.crt", "save-prefix": "~",
        "https-proxy": "",
    }  # fmt: skip
    assert npm.options(settings) == {
        "registry": "https://npm.example/",
        "@team:registry": "https://team.example/",
        "noproxy": "a,b",
        "strict-ssl": "true",
    }


def test_authorities_are_each_taken_once(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("ONE\n")
    (tmp_path / "more.crt").write_text("TWO")
    settings = {"ca": ["ZERO"], "cafile": str(tmp_path / "ca.crt")}
    assert npm.authorities(settings, {"NODE_EXTRA_CA_CERTS": str(tmp_path / "ca.crt")}) == (
        "ZERO\nONE\n"
    )
    environ = {"NODE_EXTRA_CA_CERTS": str(tmp_path / "more.crt")}
    assert npm.authorities({"ca": None, "cafile": "/nowhere"}, environ) == "TWO\n"


def test_a_host_without_npm_has_no_settings(tmp_path: Path) -> None:
    assert npm.read({"PATH": str(tmp_path)}) == npm.Npm()


@pytest.mark.skipif(not shutil.which("npm"), reason="asks the host's npm")
def test_npm_reads_the_same_from_the_secret_as_on_the_host(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text(
        f"{RC}@team:registry=https://team.example/\ncafile={tmp_path}/ca.crt\n"
    )
    (tmp_path / "ca.crt").write_text("CERTIFICATE\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TOKEN": "s3cret"}
    found = npm.read(environ)
    assert found.options["registry"] == "https://npm.example/"
    assert found.options["@team:registry"] == "https://team.example/"
    assert found.options["//npm.example/:_authToken"] == "s3cret"
    assert found.authorities == "CERTIFICATE\n"

    paths = host.write_secrets(host.Host(npm=found), tmp_path / "secrets")
    assert paths["npm"].stat().st_mode & 0o777 == 0o600
    assert paths["ca"].read_text() == "CERTIFICATE\n"
    settings = paths["settings"].read_text()
    assert "s3cret" not in settings
    assert "NPM_CONFIG_USERCONFIG=/run/secrets/npm\n" in settings
    assert "NODE_EXTRA_CA_CERTS=/run/secrets/ca\n" in settings

    def get(name: str) -> str:
        return subprocess.run(
            ["npm", "config", "get", name],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "NPM_CONFIG_USERCONFIG": str(paths["npm"])},
        ).stdout.strip()

    assert get("registry") == "https://npm.example/"
    assert get("@team:registry") == "https://team.example/"


def test_the_bundle_of_the_host_is_not_written_twice(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("ONE\n")
    same = host.Host(ca=tmp_path / "ca.crt", npm=npm.Npm(authorities="ONE\n"))
    assert same.authorities() == "ONE\n"
    more = host.Host(ca=tmp_path / "ca.crt", npm=npm.Npm(authorities="TWO\n"))
    assert more.authorities() == "ONE\n\nTWO\n"
