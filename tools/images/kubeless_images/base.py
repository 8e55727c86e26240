"""Base images: debian:<suite>-slim, pulled, or made here under the same name.

Where Docker Hub can't be reached, mmdebstrap bootstraps the suite from the
host's own Debian mirror. The root file system is kept as a tar, keyed by what
decided it, so that an emptied engine store costs an import, not a bootstrap.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kubeless_images import host
from kubeless_images.engine import Engine, require
from kubeless_images.errors import ImagesError

#: What the image has beside the essential packages.
PACKAGES = ("ca-certificates",)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = Path("/etc/apt")

#: Files a slim image goes without; licences stay.
_SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*/LC_MESSAGES/*",
)


#: How long after its Valid-Until a mirror's package list is still used, with a warning.
MAX_STALE_DAYS = 90


@dataclass(frozen=True)
class Published:
    """What a mirror has of one suite; times in Unix seconds, 0 for none."""

    lines: tuple[str, ...]
    epoch: int
    valid_until: int


@dataclass(frozen=True)
class Mirror:
    """Where Debian's packages come from."""

    main: str
    security: str


def ensure(engine: Engine, reference: str, suite: str, log: Path, *, refresh: bool = False) -> str:
    """Put the base image into the engine's store; what was done, "" when it was there.

    Raises ImagesError when it can neither be pulled nor made.
    """
    if not refresh and reference in engine.ids():
        return ""
    if engine.pull(reference, log):
        return "pulled"
    tar = bootstrap(suite, log, refresh=refresh)
    engine.import_tar(tar, reference, log)
    return f"made from {tar}"


def bootstrap(suite: str, log: Path, *, refresh: bool = False) -> Path:
    """Path of the tar of a suite's root file system, made when it is not cached."""
    mirror = host_mirror(SOURCES)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubeless/bases"
    tar = folder / f"{suite}-{cache_key(suite, mirror)}.tar"
    if tar.is_file() and not refresh:
        return tar
    require({"mmdebstrap": "mmdebstrap"})
    folder.mkdir(parents=True, exist_ok=True)
    release = published(suite, mirror)
    stale = stale_days(release.valid_until, time.time())
    # mmdebstrap tells the format by the suffix, so the unfinished file keeps it.
    unfinished = tar.with_name(f"unfinished-{os.getpid()}-{tar.name}")
    with log.open("ab") as out:
        done = subprocess.run(
            mmdebstrap_command(suite, unfinished, release.lines, accept_stale=stale > 0),
            check=False,
            stdout=out,
            stderr=out,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(release.epoch)},
        )
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        tail = "\n".join(f"    {x}" for x in log.read_text(errors="replace").splitlines()[-25:])
        raise ImagesError(
            f"debian:{suite}-slim can neither be pulled nor made from {mirror.main}; "
            f"the end of {log}:\n{tail}"
        )
    unfinished.rename(tar)
    return tar


def accept_stale(suite: str) -> bool:
    """Whether build steps must accept the suite's lists although they ran out; says so."""
    try:
        release = published(suite, host_mirror(SOURCES))
    except ImagesError:
        return False  # no Debian mirror on this host: the base was pulled
    days = stale_days(release.valid_until, time.time())
    if days:
        print(
            f"warning: this host's mirror of Debian {suite} ran out {days} days ago; "
            "images made from it may lack recent security fixes",
            file=sys.stderr,
        )
    return days > 0


def cache_key(suite: str, mirror: Mirror) -> str:
    """Twelve hex digits over everything that decides a base but the mirror's state."""
    inputs = [suite, PACKAGES, _SLIM, mirror.main, mirror.security]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:12]


def mmdebstrap_command(
    suite: str, tar: Path, lines: Iterable[str], *, accept_stale: bool = False
) -> list[str]:
    """The command that bootstraps ``suite`` into ``tar``."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--keyring={KEYRING}",
        *(f"--dpkgopt={option}" for option in _SLIM),
        *(["--aptopt=" + host.ACCEPT_STALE] if accept_stale else []),
        # apt settings are the host's own and must not stay in the image.
        '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
        '--customize-hook=rm -rf "$1/var/cache/apt" "$1/var/log/apt" "$1/var/log/dpkg.log"',
        suite,
        str(tar),
        *lines,
    ]


def host_mirror(folder: Path) -> Mirror:
    """The Debian mirrors of the host's apt sources. Raises ImagesError when it names none."""
    entries = [
        entry
        for path in sorted([folder / "sources.list", *folder.glob("sources.list.d/*")])
        if path.is_file()
        for entry in parse_sources(path.read_text(errors="replace"))
    ]
    main = [uri for uri, suites in entries if any(re.fullmatch(r"[a-z]+", s) for s in suites)]
    main = [uri for uri in main if "debian" in uri and "security" not in uri]
    security = [uri for uri, suites in entries if any(s.endswith("-security") for s in suites)]
    if not main:
        raise ImagesError(
            f"the apt sources in {folder} name no Debian mirror to make a base image from; "
            "pull debian:<suite>-slim into the engine's store by hand"
        )
    return Mirror(main[0], (security or [main[0].rstrip("/") + "-security"])[0])


def parse_sources(text: str) -> list[tuple[str, list[str]]]:
    """(URI, suites) of the binary sources in one file, of either of apt's two formats."""
    found = []
    for match in re.finditer(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", text, re.MULTILINE):
        found.append((match[1], [match[2]]))
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(Types|URIs|Suites|Enabled):\s*(.*)$", paragraph, re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            for uri in fields.get("URIs", "").split():
                found.append((uri, fields.get("Suites", "").split()))
    return found


def published(suite: str, mirror: Mirror) -> Published:
    """What the mirror publishes of a suite. Raises ImagesError when it does not have it."""
    lines, releases = [], []
    for uri, name in (
        (mirror.main, suite),
        (mirror.main, f"{suite}-updates"),
        (mirror.security, f"{suite}-security"),
    ):
        url = f"{uri.rstrip('/')}/dists/{name}/InRelease"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (apt's own source)
                releases.append(answer.read().decode(errors="replace"))
        except (urllib.error.URLError, TimeoutError) as error:
            if name == suite:
                raise ImagesError(
                    f"debian:{suite}-slim can't be pulled, and the mirror of this host "
                    f"does not have the suite: {url}: {error}"
                ) from error
            continue  # testing may have no -updates or -security yet
        lines.append(f"deb {uri} {name} main")
    ends = [end for release in releases if (end := release_date(release, "Valid-Until"))]
    return Published(
        lines=tuple(lines),
        epoch=max(release_date(release, "Date") for release in releases),
        valid_until=min(ends, default=0),
    )


def release_date(release: str, field: str) -> int:
    """A date field of a Release file in Unix seconds, 0 when the file has none."""
    found = re.search(rf"^{field}: (.*) UTC$", release, re.MULTILINE)
    return calendar.timegm(time.strptime(found[1], "%a, %d %b %Y %H:%M:%S")) if found else 0


def stale_days(valid_until: int, now: float) -> int:
    """Days since a mirror's lists ran out, 0 while they are valid.

    A mirror that stopped following its suite still serves signed packages, but apt refuses lists
    past their Valid-Until. Up to MAX_STALE_DAYS they are used, with a warning; raises ImagesError
    beyond.
    """
    if not valid_until or now < valid_until:
        return 0
    days = int((now - valid_until) // 86400) + 1
    if days > MAX_STALE_DAYS:
        raise ImagesError(
            f"the package lists of this host's mirror ran out {days} days ago "
            f"(accepted: {MAX_STALE_DAYS}); point the host's apt sources at a current mirror"
        )
    return days
