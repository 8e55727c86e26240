"""Who is measured: one row each, with the command line for an endpoint."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conformance.languages import LANGUAGES

HERE = Path(__file__).resolve().parent
APPS = HERE / "apps"
#: More threads than the connections of any load.
THREADS = 256


@dataclass(frozen=True)
class Contestant:
    """One server. ``start`` makes its command line of a port and an endpoint, echo or sleep."""

    name: str
    language: str
    start: Callable[[int, str], list[str]]
    #: What the others of its language are compared with.
    bare: bool = False
    #: Whether each endpoint is a function of its own, at /.
    at_root: bool = False


def cache() -> Path:
    """Where competitors are installed."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "kubeless" / "bench"


def python_packages() -> Path:
    """The folder of the Python competitors' programs, installed when they are not."""
    wanted = HERE / "requirements.txt"
    folder = cache() / f"python-{_hash(wanted)}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet"]
        options = ["--disable-pip-version-check", "--require-hashes", "--requirement", wanted]
        subprocess.run([*pip, *options], check=True)
        (folder / "made").touch()
    return folder / "bin"


def node_packages() -> Path:
    """The folder with the Node.js competitors' node_modules, installed when they are not."""
    lock = HERE / "package-lock.json"
    folder = cache() / f"node-{_hash(lock)}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in (lock, HERE / "package.json"):
            shutil.copy(file, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
        (folder / "made").touch()
    # Node.js looks for packages beside a program, so the programs go where the packages are.
    for file in ("express.js", "framework.js"):
        shutil.copy(APPS / file, folder)
    return folder


def contestants() -> list[Contestant]:
    """Everyone whose language is on this machine, by language, the bare server first."""
    found = [*_python()]
    if shutil.which("node"):
        found += _node()
    if shutil.which("puma"):
        found += _ruby()
    return found


def _python() -> list[Contestant]:
    packages = python_packages()
    ours = Path(sys.executable).parent

    def bare(port: int, endpoint: str) -> list[str]:
        return [
            *(str(ours / "granian"), "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"),
            *("--port", str(port), "--blocking-threads", str(THREADS), "--log-level", "critical"),
            *("--working-dir", str(APPS), "bare:app"),
        ]

    def flask(port: int, endpoint: str) -> list[str]:
        return [
            *(str(packages / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--threads", str(THREADS)),
            *("--log-level", "critical", "--chdir", str(APPS), "framework:app"),
        ]

    def framework(port: int, endpoint: str) -> list[str]:
        return [
            *(str(packages / "functions-framework"), "--host", "127.0.0.1", "--port", str(port)),
            *("--source", str(APPS / "framework.py"), "--target", endpoint),
        ]

    return [
        Contestant("granian, WSGI", "python", bare, bare=True),
        _ours("python"),
        Contestant("Flask on gunicorn", "python", flask),
        Contestant("functions-framework", "python", framework, at_root=True),
    ]


def _node() -> list[Contestant]:
    folder = node_packages()

    def bare(port: int, endpoint: str) -> list[str]:
        return ["env", f"PORT={port}", "node", str(APPS / "bare.js")]

    def express(port: int, endpoint: str) -> list[str]:
        return ["env", f"PORT={port}", "NODE_ENV=production", "node", str(folder / "express.js")]

    def framework(port: int, endpoint: str) -> list[str]:
        program = folder / "node_modules/.bin/functions-framework"
        source = folder / "framework.js"
        return [
            *("env", "NODE_ENV=production", "node", str(program), f"--port={port}"),
            *(f"--target={endpoint}", f"--source={source}", "--signature-type=http"),
        ]

    return [
        Contestant("node:http", "node", bare, bare=True),
        _ours("node"),
        Contestant("Express", "node", express),
        Contestant("functions-framework", "node", framework, at_root=True),
    ]


def _ruby() -> list[Contestant]:
    def bare(port: int, endpoint: str) -> list[str]:
        return [
            *("puma", "--bind", f"tcp://127.0.0.1:{port}", "--threads", f"1:{THREADS}"),
            *("--environment", "production", "--quiet", str(APPS / "bare.ru")),
        ]

    return [Contestant("puma, Rack", "ruby", bare, bare=True), _ours("ruby")]


def _ours(name: str) -> Contestant:
    language = LANGUAGES[name]

    def start(port: int, endpoint: str) -> list[str]:
        settings = [
            *(f"MOD_NAME={endpoint}", "FUNC_HANDLER=handler", f"FUNC_PORT={port}"),
            *(f"KUBELESS_INSTALL_VOLUME={APPS}", "FUNC_TIMEOUT=180", "KUBELESS_DRAIN_DELAY=0"),
            "KUBELESS_ACCESS_LOG=true",
        ]
        return ["env", *settings, *language.command]

    return Contestant("Kubeless", name, start, at_root=True)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
