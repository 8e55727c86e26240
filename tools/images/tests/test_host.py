"""Settings of the host, and how build steps get them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kubeless_images import host

PIP = """\
:env:.cert='/etc/ca.crt'
:env:.index-url='https://env.example/simple'
:env:.find-links='/opt/wheels https://wheels.example'
global.index-url='https://user:p@ss@conf.example/simple'
global.trusted-host='conf.example'
install.no-compile='true'
freeze.timeout='10'
nonsense
"""


def test_pips_sources_are_taken_and_the_environment_wins() -> None:
    assert host.parse_pip_config(PIP) == {
        "index-url": "https://env.example/simple",
        "find-links": "https://wheels.example",  # this host's folders are not in a build step
        "trusted-host": "conf.example",
    }


def test_find_links_of_folders_only_are_dropped() -> None:
    assert host.parse_pip_config(":env:.find-links='/opt/wheels'\n") == {}


def test_apt_proxies() -> None:
    dump = (
        'Acquire::http::Proxy "http://p:3142";\nAcquire::Retries "3";\nAPT::Architecture "amd64";\n'
    )
    assert host.parse_apt_proxies(dump) == {"http": "http://p:3142"}


def test_ca_bundle_is_the_one_the_environment_names(tmp_path: Path) -> None:
    named = tmp_path / "ca.crt"
    named.touch()
    assert host.ca_bundle({"SSL_CERT_FILE": str(named)}) == named
    assert host.ca_bundle({"SSL_CERT_FILE": "/nowhere"}) != Path("/nowhere")


def test_secrets_are_for_their_owner_alone_and_the_settings_can_be_sourced(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("CERTIFICATE")
    settings = host.Host(
        ca=ca, pip={"index-url": "https://u:it's@x/simple"}, proxies={"http_proxy": "http://p"},
        apt_proxies={"http": "http://a"},
    )  # fmt: skip
    paths = host.write_secrets(settings, tmp_path / "secrets", accept_stale=True)
    assert sorted(paths) == ["apt", "ca", "maven", "npm", "settings"]
    assert {path.stat().st_mode & 0o777 for path in paths.values()} == {0o600}
    assert paths["ca"].read_text() == "CERTIFICATE"
    assert paths["apt"].read_text() == (
        'Acquire::http::Proxy "http://a";\n'
        'Acquire::https::CaInfo "/run/secrets/ca";\n'
        'Acquire::Check-Valid-Until "false";\n'
    )
    shown = subprocess.run(
        [
            "sh",
            "-c",
            f'. {paths["settings"]}; echo "$PIP_INDEX_URL $PIP_CERT $HTTP_PROXY $APT_CONFIG"',
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == "https://u:it's@x/simple /run/secrets/ca http://p /run/secrets/apt\n"


def test_a_host_without_settings_gives_no_ca_and_no_index(tmp_path: Path) -> None:
    paths = host.write_secrets(host.Host(), tmp_path)
    assert paths["ca"].read_text() == paths["apt"].read_text() == ""
    assert paths["npm"].read_text() == ""
    assert "PIP" not in paths["settings"].read_text()
    assert "NPM" not in paths["settings"].read_text()
