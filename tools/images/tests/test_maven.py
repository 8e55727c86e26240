"""Maven's settings for build steps."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from kubeless_images import host, maven
from kubeless_images.errors import ImagesError


def proxy(**proxies: str) -> dict[str, str | None]:
    found = ElementTree.fromstring(maven.of_proxies(proxies)).find("proxies/proxy")
    assert found is not None
    return {field.tag: field.text for field in found}


def test_the_users_settings_are_taken_with_the_environment_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".m2").mkdir()
    text = "<settings><password>${env.TOKEN}</password><x>${env.NONE}</x></settings>"
    (tmp_path / ".m2/settings.xml").write_text(text)
    found = maven.read({"HOME": str(tmp_path), "TOKEN": "a<b"}, {"https_proxy": "http://p:1"})
    assert found == "<settings><password>a&lt;b</password><x>${env.NONE}</x></settings>"


def test_a_host_without_settings_needs_none_or_its_proxies(tmp_path: Path) -> None:
    assert maven.read({"HOME": str(tmp_path)}, {}) == ""
    assert "<host>p</host>" in maven.read({"HOME": str(tmp_path)}, {"https_proxy": "http://p:1"})


def test_a_proxy_with_credentials_and_names_that_go_without_it() -> None:
    address = "http://me:p%40ss%3C@proxy.example.com:3128"
    assert proxy(https_proxy=address, no_proxy="localhost, .example.com") == {
        "id": "environment",
        "protocol": "http",
        "host": "proxy.example.com",
        "port": "3128",
        "username": "me",
        "password": "p@ss<",
        "nonProxyHosts": "localhost|*.example.com",
    }


def test_a_proxy_without_scheme_and_port() -> None:
    assert proxy(http_proxy="proxy.example.com") | {"id": ""} == {
        "id": "",
        "protocol": "http",
        "host": "proxy.example.com",
        "port": "80",
    }


@pytest.mark.parametrize("address", ["http://", "http://p:x", "http://[p"])
def test_a_proxy_that_is_no_address_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ImagesError, match="https_proxy: found no host") as refused:
        maven.of_proxies({"https_proxy": address.replace("p", "secret")})
    assert "secret" not in str(refused.value)


def test_the_settings_reach_build_steps_as_a_secret(tmp_path: Path) -> None:
    paths = host.write_secrets(host.Host(maven="<settings/>"), tmp_path / "secrets")
    assert paths["maven"].read_text() == "<settings/>"
    assert paths["maven"].stat().st_mode & 0o077 == 0
