"""The languages that the suite runs over, and where the contract lets them differ.

One row per language; no test asks which language it runs in, only what its row says.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "images"
HANDLERS = Path(__file__).resolve().parent / "handlers"


@dataclass(frozen=True)
class Broken:
    """A module that does not load, and a part of the line that says why."""

    name: str
    source: str
    reason: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Language:
    """One runtime's server, and its columns of the contract's tables."""

    name: str
    suffix: str
    #: The runtime whose image all cases are run in; the language's others get a part of them.
    main: str
    #: The server's command line on this machine.
    command: tuple[str, ...]
    #: ``event.data`` of a JSON media type without a body.
    no_json: Any
    #: ``context.timeout`` of a timeout of seven seconds.
    seven_seconds: Any
    #: The type that ``event.data`` has when it is not JSON, as the handler's language calls it.
    text: str
    #: What a body of other bytes than UTF-8 arrives as.
    binary: Callable[[bytes], bytes]
    #: What a multipart body arrives as.
    multipart: Callable[[bytes], bytes]
    #: Work whose end leaves everything else alone: class (a) of the contract.
    interruptible: tuple[str, ...]
    #: Work whose process takes no new calls and finishes the others: class (b).
    waits: tuple[str, ...]
    #: Work that may take the calls beside it along: class (c), and Node's busy loop.
    holding: tuple[str, ...]
    #: Ways of ``failures`` to fail.
    failures: tuple[str, ...]
    #: Content types of a text, of bytes and of nothing.
    text_type: str
    bytes_type: str
    nothing_type: str
    broken: tuple[Broken, ...]
    #: A module that never ends loading, printing 'loading' first.
    endless: str
    #: Seconds after the timeout by which work that holds the interpreter has failed.
    held: float = 2.0
    #: Whether the suite runs it when no language is named.
    switched_on: bool = True
    #: The runtime's id, when it is an image of the cluster.
    runtime: str = ""

    def __str__(self) -> str:
        return self.runtime or self.name

    @property
    def server(self) -> Path:
        """The folder of its image."""
        return IMAGES / self.name

    def missing(self) -> str:
        """What keeps it from running as a process here; '' when nothing does."""
        program = self.command[0]
        if shutil.which(program) is None:
            return f"{program} is not installed"
        return ""

    @property
    def typical(self) -> tuple[str, ...]:
        """One kind of work of each class that costs the calls beside it nothing."""
        return (*self.interruptible[:1], *self.waits[:1])

    @property
    def typical_costly(self) -> tuple[str, ...]:
        """One kind of work of each class that costs a process."""
        return (*self.waits[:1], *self.holding[:1])

    @property
    def typical_holding(self) -> tuple[str, ...]:
        """One kind of work that holds the interpreter."""
        return self.holding[:1]

    def source(self, handler: str) -> str:
        """The source of one of the suite's handlers."""
        return (HANDLERS / f"{handler}{self.suffix}").read_text()


def _as_utf8(data: bytes) -> bytes:
    """What is left of bytes that were read as UTF-8."""
    return data.decode(errors="replace").encode()


def _unchanged(data: bytes) -> bytes:
    return data


def _unread(data: bytes) -> bytes:
    """A body that is left for the handler to read."""
    return b""


PYTHON = Language(
    name="python",
    suffix=".py",
    main="python3.13",
    command=(sys.executable, "-P", str(IMAGES / "python/kubeless_runtime")),
    no_json=None,
    seven_seconds=7.0,
    text="bytes",
    binary=_unchanged,
    multipart=_unchanged,
    interruptible=("loop", "stubborn"),
    waits=("sleep", "socket", "child"),
    holding=("native",),
    failures=("raise", "exit", "recurse", "unsendable"),
    text_type="text/html; charset=utf-8",
    bytes_type="text/html; charset=utf-8",
    nothing_type="text/html; charset=utf-8",
    broken=(
        Broken("syntax", "def handler(:\n", "SyntaxError in fn.py, line 1: "),
        Broken(
            "name",
            "def other(event, context):\n    return 1\n",
            "module 'fn' has no function 'handler'; it has: other",
        ),
        Broken(
            "dependency",
            "import no_such_thing\n",
            "module 'fn' needs 'no_such_thing', which is not installed",
        ),
        Broken("exit", "import sys\nsys.exit(4)\n", "ended the process while it was imported"),
        Broken("error", "1 / 0\n", "failed while it was imported: ZeroDivisionError"),
    ),
    endless="import time\nprint('loading')\ntime.sleep(60)\n",
)

NODE = Language(
    name="node",
    suffix=".js",
    main="nodejs24",
    command=("perl", str(IMAGES / "node/supervisor.pl")),
    no_json={},
    seven_seconds=7,
    text="string",
    binary=_as_utf8,
    multipart=_unread,
    interruptible=("sleep", "socket", "child"),
    waits=(),
    holding=("loop", "blocking", "native"),
    failures=("raise", "reject", "exit", "recurse", "unsendable"),
    text_type="text/html; charset=utf-8",
    bytes_type="application/octet-stream",
    nothing_type="text/html; charset=utf-8",
    broken=(
        Broken("syntax", "module.exports.handler = (\n", "SyntaxError in fn.js, line "),
        Broken(
            "name",
            "module.exports = { other: () => 1 };\n",
            "module 'fn' has no function 'handler'; it has: other",
        ),
        Broken(
            "dependency",
            "require('no-such-thing');\n",
            "module 'fn' needs 'no-such-thing', which is not installed",
        ),
        Broken("exit", "process.exit(4);\n", "ended the process while it was imported"),
        Broken("error", "null.x;\n", "failed while it was imported: TypeError"),
    ),
    endless="console.log('loading');\nfor (;;);\n",
    held=1.0,
)

RUBY = Language(
    name="ruby",
    suffix=".rb",
    main="ruby3.3",
    command=("ruby", str(IMAGES / "ruby/server")),
    no_json=None,
    seven_seconds="7",
    text="String",
    binary=_unchanged,
    multipart=_unchanged,
    interruptible=("loop", "stubborn", "sleep", "socket", "child"),
    waits=(),
    holding=("native",),
    failures=("raise", "exit", "recurse", "unsendable"),
    text_type="text/html; charset=utf-8",
    bytes_type="text/html; charset=utf-8",
    nothing_type="text/html; charset=utf-8",
    broken=(
        Broken("syntax", "def handler(\n", "SyntaxError in fn.rb, line "),
        Broken(
            "name",
            "def other(event, context) = 1\n",
            "module 'fn' has no function 'handler'; it has: other",
        ),
        Broken(
            "dependency",
            "require 'no_such_thing'\n",
            "module 'fn' needs 'no_such_thing', which is not installed",
        ),
        Broken("exit", "exit 4\n", "ended the process while it was imported"),
        Broken("error", "1 / 0\n", "failed while it was imported: ZeroDivisionError"),
    ),
    endless="$stdout.sync = true\nputs 'loading'\nsleep 60\n",
)

LANGUAGES = {language.name: language for language in (PYTHON, NODE, RUBY)}
