"""Where a base image comes from when it can't be pulled."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeless_images import base
from kubeless_images.errors import ImagesError

DEB822 = """\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
"""

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian-security bookworm-security main
"""


@pytest.mark.parametrize("text", [DEB822, ONE_LINE])
def test_the_hosts_mirror_is_found_in_both_formats(tmp_path: Path, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/a.list").write_text(
        "deb https://packages.example/apt cloud-sdk-bookworm main\n"
    )
    (tmp_path / "sources.list.d/debian.sources").write_text(text)
    assert base.host_mirror(tmp_path) == base.Mirror(
        "http://mirror.example/debian", "http://mirror.example/debian-security"
    )


def test_a_host_without_a_debian_mirror_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match=r"name no Debian mirror .* pull debian:<suite>-slim"):
        base.host_mirror(tmp_path)


def test_disabled_sources_do_not_count() -> None:
    assert base.parse_sources("Enabled: no\n" + DEB822.partition("\n\n")[0]) == []


def test_cache_key_depends_on_suite_and_mirror() -> None:
    one, two = base.Mirror("http://a/debian", "s"), base.Mirror("http://b/debian", "s")
    keys = {
        base.cache_key("trixie", one),
        base.cache_key("trixie", two),
        base.cache_key("forky", one),
    }
    assert len(keys) == 3


def test_the_command_leaves_no_apt_settings_and_no_manuals() -> None:
    command = base.mmdebstrap_command("trixie", Path("/x.tar"), ["deb http://m/debian trixie main"])
    assert command[-3:] == ["trixie", "/x.tar", "deb http://m/debian trixie main"]
    assert "--dpkgopt=path-exclude=/usr/share/man/*" in command
    assert any("99mmdebstrap" in part for part in command)
    assert not any("Check-Valid-Until" in part for part in command)


RELEASE = "Origin: Debian\nDate: Thu, 01 Jan 1970 00:00:10 UTC\nValid-Until: Fri, 02 Jan 1970 00:00:00 UTC\n"
DAY = 86400


def test_release_dates() -> None:
    assert base.release_date(RELEASE, "Date") == 10
    assert base.release_date(RELEASE, "Valid-Until") == DAY
    assert base.release_date("Origin: Debian\n", "Valid-Until") == 0


def test_lists_past_their_end_are_used_for_a_while_and_then_refused() -> None:
    assert base.stale_days(0, 1e9) == 0
    assert base.stale_days(DAY, DAY - 1) == 0
    assert base.stale_days(DAY, DAY + 1) == 1
    assert base.stale_days(DAY, 90 * DAY) == 90
    with pytest.raises(ImagesError, match=r"ran out 101 days ago \(accepted: 90\)"):
        base.stale_days(DAY, 101 * DAY)
